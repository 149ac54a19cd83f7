using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.Security.Limits;
using OllamaMax.Edge.Tenants;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>Jobs of what was submitted before its tokens were used up, or before it was erased.</summary>
public sealed class BranchSubmitterTests(AzuriteFixture azurite)
{
    private const string Line = """{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"demo","messages":[{"role":"user","content":"x"}]}}""";

    private static readonly UsageLimits Limits = new() { TokensPerMonth = 10 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Take_KeyOutOfTokens_ComesAgainAtItsDeadlineAtTheLatest()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(azurite: azurite);
        LimitBook book = cluster.EdgeServices.GetRequiredService<LimitBook>();
        (await TakeAsync(cluster, "one", Limits)).ShouldBe((new SubmitOutcome(), true));

        book.Spend("one", "of-one", Limits, 10);

        var (outcome, isThere) = await TakeAsync(cluster, "one", Limits);
        outcome.Error.ShouldBe("rate limit reached: 10 tokens per month");
        outcome.RetryAfter.ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromTicks(1), TimeSpan.FromHours(1));
        isThere.ShouldBeFalse();
        (await TakeAsync(cluster, "two", Limits)).ShouldBe((new SubmitOutcome(), true));
    }

    [Fact]
    public async Task Take_TenantOutOfTokens_ComesAgainWhateverItsKeyMay()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(
            services: services => services.Configure<TenantOptions>(tenants => tenants.Limits["one"] = new() { TokensPerMonth = 10 }), azurite: azurite);

        cluster.EdgeServices.GetRequiredService<LimitBook>().Spend("one", "another-key", UsageLimits.None, 10);

        (await TakeAsync(cluster, "one", UsageLimits.None)).Outcome.Error.ShouldBe("rate limit reached: 10 tokens per month");
        (await TakeAsync(cluster, "two", UsageLimits.None)).ShouldBe((new SubmitOutcome(), true));
    }

    [Fact]
    public async Task Take_ErasedMeanwhile_LeavesNoJob()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(azurite: azurite);

        (await TakeAsync(cluster, "one", Limits, isKept: false)).ShouldBe((BranchSubmitter.Gone, false));

        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldBeEmpty();
    }

    private static async Task<(SubmitOutcome Outcome, bool IsThere)> TakeAsync(JobCluster cluster, string tenant, UsageLimits limits, bool isKept = true)
    {
        Submitter submitter = new(tenant, tenant, new KeyGrant($"of-{tenant}", limits, Models: null), "request", TraceParent: null);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        SubmitInput input = new("batch", JobId.From(now, Guid.NewGuid()), "demo", Choice: 0);
        JobSubmission submission = BatchLine.Read(Line, BatchLine.Chat).Submission.Value!;
        SubmitOutcome outcome = await cluster.EdgeServices.GetRequiredService<BranchSubmitter>()
            .TakeAsync(submitter, now + TimeSpan.FromHours(1), input, submission, () => Task.FromResult(isKept));
        return (outcome, await cluster.Store.FindAsync(input.JobId, Cancellation) is not null);
    }
}

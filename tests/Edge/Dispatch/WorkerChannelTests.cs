using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Edge.Tests.Dispatch;

public sealed class WorkerChannelTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(262_144, true)]
    [InlineData(1, false)]
    public async Task Prepare_JobWithTools_SaysNothingToItsWorkerThatAnOlderOneWouldNotKnow(int maxInlineBytes, bool isInline)
    {
        await using TestCluster cluster = await StartAsync(maxInlineBytes);
        JobRun run = Run();

        GrantMessage grant = (await PrepareAsync(cluster, run, attempt: 1)).Grant.ShouldNotBeNull();

        (grant.Job is not null).ShouldBe(isInline);
        Job job = grant.Job ?? await StoredAsync(grant.PayloadUrl.ShouldNotBeNull());
        (job.Prompt, job.Parsing).ShouldBe(("prompt", OutputParsing.None));
        run.Job.Parsing.ToolCalls.ShouldBe(ToolCallForm.Kimi);
    }

    [Fact]
    public async Task Prepare_AnotherAttemptOfALargeJob_IsGrantedWhatLiesThereUntilTheJobIsOver()
    {
        await using TestCluster cluster = await StartAsync(maxInlineBytes: 1);
        JobRun run = Run();
        string? first = (await PrepareAsync(cluster, run, attempt: 1)).Grant?.PayloadUrl;

        string? second = (await PrepareAsync(cluster, run, attempt: 2)).Grant?.PayloadUrl;

        second.ShouldNotBeNull().ShouldBe(first);
        await cluster.EdgeServices.GetRequiredService<WorkerChannel>().WithdrawPayloadAsync(run);
        (await new BlobClient(new(second)).ExistsAsync(Cancellation)).Value.ShouldBeFalse();
    }

    [Fact]
    public async Task Prepare_WorkerIsNotEnrolled_HasNeitherGrantNorError()
    {
        await using TestCluster cluster = await StartAsync(262_144, services => services
            .Configure<DispatchOptions>(options => options.EncryptPayloads = true)
            .Configure<ContentKeyOptions>(options => options.Keys = ContentKeyTexts.Of("k1")));

        (await PrepareAsync(cluster, Run(), attempt: 1)).ShouldBe(new PreparedGrant(Grant: null));
    }

    private Task<TestCluster> StartAsync(int maxInlineBytes, Action<IServiceCollection>? configure = null) => TestCluster.StartAsync(
        azurite.NewAccount(),
        configure: services =>
        {
            services.Configure<DispatchOptions>(options => options.MaxInlineBytes = maxInlineBytes);
            configure?.Invoke(services);
        },
        cancellationToken: Cancellation);

    private static Task<PreparedGrant> PrepareAsync(TestCluster cluster, JobRun run, int attempt) =>
        cluster.EdgeServices.GetRequiredService<WorkerChannel>().PrepareAsync(run, new Attempt(attempt, "w", "n"), [], TimeSpan.FromMinutes(1));

    private static JobRun Run()
    {
        Job job = new()
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "request",
            Tenant = "tenant",
            Model = "sha256:model",
            Prompt = "prompt",
            Options = new InferenceOptions(),
            Seed = 1,
            Parsing = new() { ToolCalls = ToolCallForm.Kimi },
            Deadline = TimeSpan.FromMinutes(1),
        };
        return new(new JobOwner(job, new OwnerOptions(), () => "n", TimeSpan.Zero), new JobOutputLog(), TimeSpan.Zero);
    }

    private static async Task<Job> StoredAsync(string url) =>
        (await new BlobClient(new(url)).DownloadContentAsync(Cancellation)).Value.Content.ToObjectFromJson(ProtocolJson.Default.Job).ShouldNotBeNull();
}

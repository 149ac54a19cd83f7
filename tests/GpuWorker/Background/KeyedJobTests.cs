using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>What clients submit under an <c>Idempotency-Key</c>, and again because they lost the answer.</summary>
public sealed class KeyedJobTests
{
    private static readonly object Job = new { model = "demo", prompt = "hi" };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Again_SameBody_IsTheSameJobAtAnyEdgeAndAtAnyTime()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await TakenAsync(cluster, Job, isReplay: false);

        (await TakenAsync(cluster, Job, isReplay: true)).ShouldBe(id);
        await cluster.RestartEdgeAsync();
        (await TakenAsync(cluster, Job, isReplay: true)).ShouldBe(id);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        await cluster.Client.ShowWhenAsync(id, "completed");

        (await TakenAsync(cluster, Job, isReplay: true)).ShouldBe(id);
        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Again_AtTheSameTime_IsOneJob()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();

        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PostAsync(cluster, Job)));

        answers.Select(answer => answer.StatusCode).ShouldAllBe(status => status == HttpStatusCode.Accepted || status == HttpStatusCode.Conflict);
        answers.ShouldContain(answer => answer.StatusCode == HttpStatusCode.Accepted);
        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Again_OtherBody_IsRefusedAndRunsNothing()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await TakenAsync(cluster, Job, isReplay: false);

        using HttpResponseMessage other = await PostAsync(cluster, new { model = "demo", prompt = "ho" });

        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await ErrorAsync(other)).ShouldContain("'k-1'");
        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Again_OtherTenant_IsAnotherJob()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await TakenAsync(cluster, Job, isReplay: false, "acme");

        (await TakenAsync(cluster, Job, isReplay: false, "other")).ShouldNotBe(id);
    }

    [Fact]
    public async Task Again_FirstWasRefused_IsAFirstOne()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        using HttpResponseMessage refused = await PostAsync(cluster, new { model = "nobody", prompt = "hi" });
        refused.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        await TakenAsync(cluster, Job, isReplay: false);
    }

    /// <param name="isNoted">Not as where its edge was killed between the job and the note that it was taken on.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Again_JobDeleted_IsGoneAndRunsNothing(bool isNoted)
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await TakenAsync(cluster, Job, isReplay: false);
        await ChangeAsync(cluster, taken => taken with { IsTaken = isNoted, BegunAt = taken.BegunAt - TimeSpan.FromMinutes(1) });
        await cluster.Client.DeleteJobAsync(id);
        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NoContent);

        using HttpResponseMessage again = await PostAsync(cluster, Job);

        again.StatusCode.ShouldBe(HttpStatusCode.Gone);
        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldBeEmpty();
    }

    /// <summary>The key's day was over, and it came again.</summary>
    [Fact]
    public async Task End_OfAJobWhoseKeyIsAnothersByNow_DoesNotTakeThatOneOn()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await TakenAsync(cluster, Job, isReplay: false);
        await ChangeAsync(cluster, taken => taken with { JobId = "another", IsTaken = false });

        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.OK);

        await ChangeAsync(cluster, kept => kept.IsTaken ? throw new ShouldAssertException("it was noted as taken on") : kept);
    }

    [Fact]
    public async Task Again_WhileTheFirstIsBeingTakenOn_IsAConflictAndThenTheSameJob()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await TakenAsync(cluster, Job, isReplay: false);
        await cluster.Store.DeleteAsync(id, Cancellation);
        await ChangeAsync(cluster, taken => taken with { IsTaken = false });

        using HttpResponseMessage early = await PostAsync(cluster, Job);
        // As if its edge had been killed a while ago, before it wrote the job.
        await ChangeAsync(cluster, taken => taken with { BegunAt = taken.BegunAt - TimeSpan.FromMinutes(1) });
        string late = await TakenAsync(cluster, Job, isReplay: false);

        early.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        early.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        late.ShouldBe(id);
    }

    [Fact]
    public async Task Again_EdgeWasKilledBeforeTheMessage_PutsItOnce()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await TakenAsync(cluster, Job, isReplay: false);
        string model = (await cluster.RecordAsync(id)).Model;
        await cluster.ClearQueueAsync(model);
        await ChangeAsync(cluster, taken => taken with { IsTaken = false });

        (await TakenAsync(cluster, Job, isReplay: true)).ShouldBe(id);
        (await TakenAsync(cluster, Job, isReplay: true)).ShouldBe(id);

        await cluster.WaitForMessagesAsync(model, 1);
    }

    [Fact]
    public async Task Again_AfterADay_IsAnotherJobAndNothingIsLeftOfTheKey()
    {
        WatchedTimeProvider time = new();
        time.SetUtcNow(TimeProvider.System.GetUtcNow());
        await using JobCluster cluster = await JobCluster.StartAsync(services: edge => edge.AddSingleton<TimeProvider>(time));
        string id = await TakenAsync(cluster, Job, isReplay: false);

        time.Advance(TimeSpan.FromHours(24));
        string next = await TakenAsync(cluster, Job, isReplay: false);
        time.Advance(TimeSpan.FromHours(24));
        await cluster.EdgeServices.GetRequiredService<JobTending>().SweepAsync(Cancellation);

        next.ShouldNotBe(id);
        (await NamesAsync(cluster)).ShouldBeEmpty();
    }

    [Fact]
    public async Task TenantErased_NothingIsLeftOfItsKeys()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await TakenAsync(cluster, Job, isReplay: false, "acme");
        (await NamesAsync(cluster, "acme")).ShouldHaveSingleItem();

        using HttpRequestMessage request = new(HttpMethod.Delete, "/tenants/acme/data") { Headers = { { TestCluster.TenantHeader, "acme" } } };
        using HttpResponseMessage erased = await cluster.Client.SendAsync(request, Cancellation);

        erased.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await NamesAsync(cluster, "acme")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Response_OfTheBackground_Again_IsTheSameResponse()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        object body = new { model = "demo", input = "hi", background = true };

        using HttpResponseMessage first = await PostAsync(cluster, body, path: "/v1/responses");
        using HttpResponseMessage again = await PostAsync(cluster, body, path: "/v1/responses");
        using HttpResponseMessage elsewhere = await PostAsync(cluster, Job);

        string answer = await first.Content.ReadAsStringAsync(Cancellation);
        JsonElement.Parse(answer).GetProperty("status").GetString().ShouldBe("queued", answer);
        (await again.Content.ReadAsStringAsync(Cancellation)).ShouldBe(answer);
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldHaveSingleItem();
    }

    private static async Task<HttpResponseMessage> PostAsync(JobCluster cluster, object body, string? tenant = null, string path = "/jobs")
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path) { Content = JsonContent.Create(body), Headers = { { "Idempotency-Key", "k-1" } } };
        if (tenant is not null)
            request.Headers.Add(TestCluster.TenantHeader, tenant);
        return await cluster.Client.SendAsync(request, Cancellation);
    }

    /// <summary>Submits, and answers the job's id.</summary>
    private static async Task<string> TakenAsync(JobCluster cluster, object body, bool isReplay, string? tenant = null)
    {
        using HttpResponseMessage response = await PostAsync(cluster, body, tenant);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted, text);
        response.Headers.Contains("idempotency-replayed").ShouldBe(isReplay);
        string id = JsonElement.Parse(text).GetProperty("id").GetString()!;
        response.Headers.Location!.ToString().ShouldBe($"/jobs/{id}");
        return id;
    }

    private static async Task<string> ErrorAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()!;

    private static async Task<IReadOnlyList<string>> NamesAsync(JobCluster cluster, string tenant = "local") =>
        await cluster.EdgeServices.GetRequiredService<SubmissionStore>().ListAsync(tenant, Cancellation).ToListAsync(Cancellation);

    /// <summary>Changes what lies in storage of the one submission.</summary>
    private static async Task ChangeAsync(JobCluster cluster, Func<KeyedSubmission, KeyedSubmission> change)
    {
        SubmissionStore store = cluster.EdgeServices.GetRequiredService<SubmissionStore>();
        StoredSubmission found = (await store.FindAsync((await NamesAsync(cluster)).Single(), "local", Cancellation)).ShouldNotBeNull();
        (await store.ReplaceAsync(found, change(found.Submission), Cancellation)).ShouldNotBeNull();
    }
}

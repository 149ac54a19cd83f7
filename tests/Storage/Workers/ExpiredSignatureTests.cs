using System.Net;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Payloads;
using OllamaMax.Storage.Queues;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Tests.Workers;

/// <summary>Somebody has copied what a worker was given, and comes with it when its time is over: storage's own clock decides.</summary>
public sealed class ExpiredSignatureTests(AzuriteFixture azurite)
{
    private const string Model = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private static readonly HttpClient Http = new();
    private static readonly TimeSpan Late = TimeSpan.FromDays(-1);

    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Signatures_OfYesterday_AreGoodForNothing()
    {
        await _account.CreateContainersAsync(Cancellation);
        string id = Guid.NewGuid().ToString("n");
        foreach (var (age, isGood) in ((TimeSpan, bool)[])[(TimeSpan.Zero, true), (Late, false)])
        {
            FakeTimeProvider time = new(TimeProvider.System.GetUtcNow() + age);
            DateTimeOffset expiresAt = time.GetUtcNow() + TimeSpan.FromMinutes(15);
            StorageCapabilities capabilities = new(_account);
            JobRecordStore jobs = new(_account, ContentKeys.None);
            string job = JobId.New(TimeProvider.System);
            await jobs.Output(job).CreateIfNotExistsAsync(Cancellation);

            await ShouldBeAsync(HttpMethod.Put, await capabilities.HeartbeatUrlAsync(WorkerId.New(), expiresAt, Cancellation), isGood, "a heartbeat");
            await ShouldBeAsync(HttpMethod.Get, await jobs.OutputUrlAsync(job, expiresAt, Cancellation), isGood, "an output");
            await ShouldBeAsync(HttpMethod.Get, await new PayloadStore(_account, time).PutAsync(NewJob(id), "{}"u8.ToArray(), Cancellation), isGood, "a prompt");
            string models = await capabilities.ModelsUrlAsync(expiresAt, Cancellation);
            string queue = new JobQueues(_account, time).SignedUrl(Model, Band.Interactive);
            foreach (string url in (string[])[models.Replace("models?", "models/none?", StringComparison.Ordinal), queue.Replace("?", "/messages?", StringComparison.Ordinal)])
                (await StatusAsync(HttpMethod.Get, url)).ShouldBe(isGood ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden);
        }
    }

    [Fact]
    public async Task JoinToken_AfterItsTimeOrUsedBefore_LetsNobodyIn()
    {
        await _account.CreateContainersAsync(Cancellation);
        FakeTimeProvider time = new(TimeProvider.System.GetUtcNow());
        WorkerEnrolments enrolments = new(_account, time);
        (string late, DateTimeOffset expiresAt) = await enrolments.CreateJoinTokenAsync(TimeSpan.FromMinutes(30), Cancellation);
        (string early, _) = await enrolments.CreateJoinTokenAsync(TimeSpan.FromMinutes(30), Cancellation);

        time.SetUtcNow(expiresAt - TimeSpan.FromTicks(1));
        (await enrolments.EnrolAsync(early, "box", "key", Cancellation)).ShouldNotBeNull();
        (await enrolments.EnrolAsync(early, "box", "key", Cancellation)).ShouldBeNull("used");
        time.SetUtcNow(expiresAt);
        (await enrolments.EnrolAsync(late, "box", "key", Cancellation)).ShouldBeNull("late");
        (await enrolments.EnrolAsync("omxj_none", "box", "key", Cancellation)).ShouldBeNull("unknown");
    }

    private static async Task ShouldBeAsync(HttpMethod method, string url, bool isGood, string what)
    {
        HttpStatusCode status = await StatusAsync(method, url);
        if (isGood)
            ((int)status).ShouldBeInRange(200, 299, what);
        else
            status.ShouldBe(HttpStatusCode.Forbidden, what);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpMethod method, string url)
    {
        using HttpRequestMessage request = new(method, url);
        request.Headers.Add("x-ms-version", "2021-12-02");
        if (method == HttpMethod.Put)
        {
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
            request.Content = new ByteArrayContent([]);
        }
        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private static Job NewJob(string id) => new()
    {
        Id = id, RequestId = id, Tenant = "acme", Model = Model, Prompt = "x", Options = new(), Seed = 1, Deadline = TimeSpan.FromMinutes(1),
    };
}

using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Security.Tests;

/// <summary>Somebody holds all that a worker has, and tries everything else with each of it.</summary>
public sealed class CapturedWorkerTests(KeyedSystemFixture local)
{
    private const string Model = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private static readonly HttpClient Http = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Heartbeat_Signature_WritesAndReadsThisBlobAlone()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        Uri own = new(worker.HeartbeatUrl);

        (await StorageAsync(HttpMethod.Put, own)).ShouldBe(201);
        (await StorageAsync(HttpMethod.Get, own)).ShouldBe(200);
        (await StorageAsync(HttpMethod.Delete, own)).ShouldBe(403);
        (await StorageAsync(HttpMethod.Put, At(own, "cluster/workers/another"))).ShouldBe(403);
        (await StorageAsync(HttpMethod.Get, At(own, "cluster/workers/another"))).ShouldBe(403);
        (await StorageAsync(HttpMethod.Put, At(own, $"cluster/enrolments/{worker.WorkerId}"))).ShouldBe(403);
        (await StorageAsync(HttpMethod.Put, At(own, "keys/records/0123456789abcdef"))).ShouldBe(403);
    }

    [Fact]
    public async Task Models_Signature_ReadsModelsAlone()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Uri models = new((await local.EnrolAsync(key)).ModelsUrl);

        (await StorageAsync(HttpMethod.Get, At(models, "models/manifests/registry.ollama.ai/library/demo/latest"))).ShouldBe(200);
        (await StorageAsync(HttpMethod.Put, At(models, "models/manifests/registry.ollama.ai/library/demo/latest"))).ShouldBe(403);
        (await StorageAsync(HttpMethod.Delete, At(models, "models/manifests/registry.ollama.ai/library/demo/latest"))).ShouldBe(403);
        (await StorageAsync(HttpMethod.Get, At(models, "models", "restype=container&comp=list"))).ShouldBe(403);
        foreach (string other in (string[])["keys/records/0123456789abcdef", "jobs/records/00000000000000000000000000", "cluster/enrolments/x", "audit/2026-01-01/0000"])
            (await StorageAsync(HttpMethod.Get, At(models, other))).ShouldBe(403, other);
    }

    [Fact]
    public async Task Queue_Signature_TakesFromThisQueueAlone()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        WorkerCapabilities renewed = (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId)))!;
        Uri queue = new(renewed.Queues[0].Url);
        string account = queue.Segments[1].TrimEnd('/');

        (await QueueAsync(HttpMethod.Get, queue)).ShouldBe(404, "nobody has put anything into it, so it is not there");
        (await QueueAsync(HttpMethod.Post, queue)).ShouldBe(403);
        (await QueueAsync(HttpMethod.Get, new UriBuilder(queue) { Path = $"/{account}/completions" }.Uri)).ShouldBe(403);
    }

    [Fact]
    public async Task Renewal_OnlyByTheOwnKeyForOneselfAndNotLater()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa another = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        WorkerCapabilities other = await local.EnrolAsync(another);

        (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId))).ShouldNotBeNull();
        (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(another, worker.WorkerId))).ShouldBeNull();
        (await RenewAsync(other.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId))).ShouldBeNull();
        (await RenewAsync(other.WorkerId, WorkerTokenSigner.Sign(key, other.WorkerId))).ShouldBeNull();
        (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId, TimeSpan.FromMinutes(-10)))).ShouldBeNull();
        (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId, TimeSpan.FromDays(1)))).ShouldBeNull();
        (await local.StatusAsync(HttpMethod.Get, "/api/tags", WorkerTokenSigner.Sign(key, worker.WorkerId))).ShouldBe(401);
    }

    [Fact]
    public async Task Revoked_Worker_IsGoneAndCannotRenew()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        await ReportAsync(worker);
        (await StateAsync(worker.WorkerId)).ShouldBe("alive");

        (await local.StatusAsync(HttpMethod.Delete, $"/cluster/workers/{worker.WorkerId}", local.Keys["user"])).ShouldBe(403);
        (await local.StatusAsync(HttpMethod.Delete, $"/cluster/workers/{worker.WorkerId}", local.Keys["operator"])).ShouldBe(200);

        (await StateAsync(worker.WorkerId)).ShouldBe("gone");
        (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId))).ShouldBeNull();
        await ReportAsync(worker, slots: 2);
        (await StateAsync(worker.WorkerId, slots: 2)).ShouldBe("gone");
        (await local.StatusAsync(HttpMethod.Delete, "/cluster/workers/nobody", local.Keys["operator"])).ShouldBe(404);
    }

    /// <summary>What it reports is its own choice, and with it whether it is listed.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("{")]
    public async Task Revoked_WorkerThatIsNotListed_IsGoneAndCannotRenew(string? report)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        if (report is not null)
            await ReportAsync(worker, report);

        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Delete, $"/cluster/workers/{worker.WorkerId}", local.Keys["operator"]);

        ((int)response.StatusCode).ShouldBe(200);
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        (answer.GetProperty("id").GetString(), answer.GetProperty("name").GetString(), answer.GetProperty("state").GetString()).ShouldBe((worker.WorkerId, "captured", "gone"));
        (await RenewAsync(worker.WorkerId, WorkerTokenSigner.Sign(key, worker.WorkerId))).ShouldBeNull();
        await ReportAsync(worker);
        (await StateAsync(worker.WorkerId)).ShouldBe("gone");
    }

    [Fact]
    public async Task SignalRToken_OpensTheOwnConnectionAndSendsToNobody()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        Uri client = new(worker.SignalRUrl);
        string hub = client.Query.Split("hub=")[1];

        foreach (string target in (string[])["users/worker-another/:send", "users/edge-x/:send", ":send", $"users/{worker.WorkerId}/:closeConnections"])
        {
            using HttpRequestMessage request = new(HttpMethod.Post, new Uri(client, $"/api/hubs/{hub}/{target}?api-version=2022-06-01"))
            {
                Content = JsonContent.Create(new { target = "grant", arguments = Array.Empty<object>() }),
            };
            request.Headers.Authorization = new("Bearer", worker.SignalRToken);
            using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
            ((int)response.StatusCode).ShouldBe(401, target);
        }
    }

    [Fact]
    public async Task JoinToken_UsedTwice_LetsNobodyInAgain()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string token = await local.JoinTokenAsync();

        using HttpResponseMessage first = await local.EnrolAsync(token, key);
        using HttpResponseMessage second = await local.EnrolAsync(token, key);

        ((int)first.StatusCode).ShouldBe(200);
        ((int)second.StatusCode).ShouldBe(401);
        (await local.StatusAsync(HttpMethod.Get, "/api/tags", token)).ShouldBe(401);
    }

    private static Uri At(Uri signed, string path, string query = "") => new UriBuilder(signed)
    {
        Path = $"/{signed.Segments[1]}{path}",
        Query = query.Length == 0 ? signed.Query : $"{signed.Query[1..]}&{query}",
    }.Uri;

    private static async Task<int> StorageAsync(HttpMethod method, Uri url)
    {
        using HttpRequestMessage request = new(method, url);
        request.Headers.Add("x-ms-version", "2021-12-02");
        if (method == HttpMethod.Put)
        {
            request.Headers.Add("x-ms-blob-type", "BlockBlob");
            request.Content = new ByteArrayContent([]);
        }
        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    private static Task ReportAsync(WorkerCapabilities worker, int slots = 1) =>
        ReportAsync(worker, HeartbeatDocument.Of(WorkerReports.Idle(worker.WorkerId) with { Name = "captured", SlotsTotal = slots, IntervalSeconds = 60 }, []).Report);

    private static async Task ReportAsync(WorkerCapabilities worker, string report)
    {
        using HttpRequestMessage request = new(HttpMethod.Put, worker.HeartbeatUrl) { Content = new ByteArrayContent([]) };
        request.Headers.Add("x-ms-version", "2021-12-02");
        request.Headers.Add("x-ms-blob-type", "BlockBlob");
        request.Headers.Add($"x-ms-meta-{Heartbeats.ReportKey}", report);
        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<int> QueueAsync(HttpMethod method, Uri queue)
    {
        Uri messages = new UriBuilder(queue) { Path = $"{queue.AbsolutePath}/messages" }.Uri;
        using HttpRequestMessage request = new(method, messages);
        request.Headers.Add("x-ms-version", "2021-12-02");
        if (method == HttpMethod.Post)
            request.Content = new StringContent("<QueueMessage><MessageText>x</MessageText></QueueMessage>");
        using HttpResponseMessage response = await Http.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    /// <summary>As the edge lists it, which it does anew once a second.</summary>
    /// <param name="workerId">Who, as the edge lists it.</param>
    /// <param name="slots">Of the report that is to be known by then; null: any.</param>
    private async Task<string?> StateAsync(string workerId, int? slots = null)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            using HttpResponseMessage response = await local.SendAsync(HttpMethod.Get, $"/cluster/workers/{workerId}", local.Keys["operator"]);
            if (response.IsSuccessStatusCode && await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation) is var listed
                && (slots is null || listed.GetProperty("slots").GetProperty("total").GetInt32() == slots))
            {
                return listed.GetProperty("state").GetString();
            }
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>Null: refused with a 401.</summary>
    private async Task<WorkerCapabilities?> RenewAsync(string workerId, string token)
    {
        CapabilityRequest request = new(ProtocolVersion.Current, [Model]);
        using HttpResponseMessage response = await local.SendAsync(
            HttpMethod.Post, $"/cluster/workers/{workerId}/capabilities", token, JsonContent.Create(request, ProtocolJson.Default.CapabilityRequest));
        if ((int)response.StatusCode == 401)
            return null;
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(ProtocolJson.Default.WorkerCapabilities, Cancellation);
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Edge;
using OllamaMax.Edge.Cluster;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.GpuWorker.Tests.Models;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Cluster;

/// <summary>Policies and copies from the call to the workers' disks and back; each worker is a box of its own.</summary>
public sealed class ReplicationTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Policy_TwoCopies_AreMadeAtTwoSitesReplacedWhenOneGoesAndThinnedOut()
    {
        await using TestCluster cluster = await StartAsync();
        await AddWorkerAsync(cluster, "x");
        await AddWorkerAsync(cluster, "x");
        TestWorker alone = await AddWorkerAsync(cluster, "y");

        JsonElement policy = await PutAsync(cluster, new { min_replicas = 2, pin = true });

        policy.ToString().ShouldBe("""{"min_replicas":2,"max_replicas":null,"labels":{},"excluded_labels":{},"preferred_labels":{},"warm":false,"pin":true,"priority":0}""");
        JsonElement two = await UntilAsync(cluster, model => Actual(model) == 2);
        (await SitesAsync(cluster, two)).ShouldBe(["x", "y"], ignoreOrder: true);
        two.GetProperty("replicas").EnumerateArray().ShouldAllBe(replica => replica.GetProperty("bytes").GetInt64() == two.GetProperty("size").GetInt64());

        JsonElement listedTwo = (await GetAsync(cluster, "/cluster/models")).GetProperty("models").EnumerateArray().Single();
        listedTwo.GetProperty("replicas").EnumerateArray().Select(WorkerOf).ShouldBe(two.GetProperty("replicas").EnumerateArray().Select(WorkerOf));

        string aloneId = (await GetAsync(cluster, "/cluster/workers")).GetProperty("workers").EnumerateArray()
            .Single(worker => worker.GetProperty("site").GetString() == "y").GetProperty("id").GetString()!;
        await alone.DrainAsync();

        JsonElement replaced = await UntilAsync(
            cluster, model => Actual(model) == 2 && model.GetProperty("replicas").EnumerateArray().All(replica => WorkerOf(replica) != aloneId));
        (await SitesAsync(cluster, replaced)).ShouldBe(["x", "x"]);
        File.Exists(Path.Combine(cluster.ReplicasOf("worker-1"), FileName(replaced))).ShouldBeTrue();

        await PutAsync(cluster, new { min_replicas = 1, max_replicas = 1 });

        await UntilAsync(cluster, model => Actual(model) == 1);
        JsonElement listed = (await GetAsync(cluster, "/cluster/models")).GetProperty("models").EnumerateArray().Single();
        (listed.GetProperty("name").GetString(), listed.GetProperty("desired").GetInt32(), listed.GetProperty("policy").GetProperty("max_replicas").GetInt32())
            .ShouldBe(("demo:latest", 1, 1));
        using HttpResponseMessage deleted = await cluster.Client.DeleteAsync("/cluster/models/library/demo/policy", Cancellation);
        deleted.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using HttpResponseMessage gone = await cluster.Client.GetAsync("/cluster/models/demo/policy", Cancellation);
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Policy_NobodyHasTheDisk_SaysWhyAndARequestFailsClearly()
    {
        await using TestCluster cluster = await StartAsync();
        cluster.DiskBudget = 1 << 20;
        await AddWorkerAsync(cluster, "x");

        await PutAsync(cluster, new { min_replicas = 1, labels = new { site = "x" } });

        JsonElement blocked = await UntilAsync(cluster, model => model.GetProperty("blocked_because").ValueKind == JsonValueKind.String);
        blocked.GetProperty("blocked_because").GetString().ShouldBe("1 more worker is needed: 1 with too little disk for it");
        using HttpResponseMessage answer = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "hi", raw = true, stream = false }, Cancellation);
        (await answer.Content.ReadAsStringAsync(Cancellation)).ShouldContain("and the disk budget is 1 MB");
        answer.IsSuccessStatusCode.ShouldBeFalse();
    }

    [Fact]
    public async Task Policy_ThatCannotBe_IsRefused()
    {
        (string Model, string Body, HttpStatusCode Status, string Message)[] requests =
        [
            ("nothing", """{"min_replicas":1}""", HttpStatusCode.NotFound, "model 'nothing:latest' not found"),
            ("a/b/c/d", "{}", HttpStatusCode.NotFound, ""),
            ("..demo", "{}", HttpStatusCode.BadRequest, "does not begin with a letter"),
            ("demo", """{"min_replicas":3,"max_replicas":2}""", HttpStatusCode.BadRequest, "max_replicas must not be less than min_replicas"),
            ("demo", """{"min_replica":1}""", HttpStatusCode.BadRequest, "min_replica is none of the fields here: min_replicas, "),
            ("demo", """{"min_replicas":-1}""", HttpStatusCode.BadRequest, "min_replicas must be from 0 to 1000"),
            ("demo", """{"labels":{"site":"a b"}}""", HttpStatusCode.BadRequest, "is no label"),
            ("demo", """{"labels":["x"]}""", HttpStatusCode.BadRequest, "labels must be an object"),
            ("demo", """{"excluded_labels":{"site":["a","b c"]}}""", HttpStatusCode.BadRequest, "excluded_labels has one that cannot be"),
            ("demo", """{"preferred_labels":{"site":[]}}""", HttpStatusCode.BadRequest, "preferred_labels.site must be a value, or a list of 1 to 16"),
            ("demo", """{"preferred_labels":{"site":7}}""", HttpStatusCode.BadRequest, "preferred_labels.site must be an array"),
            ("demo", """{"warm":true}""", HttpStatusCode.BadRequest, "warm needs min_replicas"),
        ];
        await using TestCluster cluster = await StartAsync();

        foreach (var (model, body, status, message) in requests)
        {
            using StringContent content = new(body);
            using HttpResponseMessage response = await cluster.Client.PutAsync($"/cluster/models/{model}/policy", content, Cancellation);
            response.StatusCode.ShouldBe(status, body);
            (await response.Content.ReadAsStringAsync(Cancellation)).ShouldContain(message);
        }
    }

    [Fact]
    public async Task Policy_WorkersCannotBeListed_NothingIsWritten()
    {
        // Without containers.
        StorageAccount away = new(azurite.NewAccount());
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount(), configure: edge => edge.AddSingleton(new Heartbeats(away, NullLogger<Heartbeats>.Instance)), cancellationToken: Cancellation);

        using StringContent content = new("""{"min_replicas":1}""");
        using HttpResponseMessage response = await cluster.Client.PutAsync("/cluster/models/demo/policy", content, Cancellation);
        using HttpResponseMessage read = await cluster.Client.GetAsync("/cluster/models/demo/policy", Cancellation);

        (response.StatusCode, read.StatusCode).ShouldBe((HttpStatusCode.ServiceUnavailable, HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task Request_NoWorkerHasTheModel_HearsHeartbeatsWhileTheTransferIsListedAndThenTheAnswer()
    {
        string storage = azurite.NewAccount();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        TaskCompletionSource go = new();
        gate.Before = (_, gone) => go.Task.WaitAsync(gone);
        await using TestCluster cluster = await StartAsync(storage, gate);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);

        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = JsonContent.Create(new { model = "demo", prompt = "hi", raw = true }) };
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancellation));
        string heartbeat = (await lines.ReadLineAsync(Cancellation))!;
        JsonElement transfer = await TransferAsync(cluster);
        go.SetResult();
        string rest = await lines.ReadToEndAsync(Cancellation);

        JsonElement.Parse(heartbeat).GetProperty("response").GetString().ShouldBeEmpty();
        (transfer.GetProperty("model").GetString(), transfer.GetProperty("kind").GetString(), transfer.GetProperty("state").GetString()).ShouldBe(("demo:latest", "replica", "running"));
        string text = string.Concat(rest.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line).GetProperty("response").GetString()));
        text.ShouldBe(ScriptedEngine.Answer(20));
    }

    [Fact]
    public async Task Policy_Warm_IsInMemoryWithoutARequestUntilItIsNotWantedAnyMore()
    {
        await using TestCluster cluster = await StartAsync();
        await AddWorkerAsync(cluster, "x");
        await AddWorkerAsync(cluster, "y");

        await PutAsync(cluster, new { min_replicas = 1, warm = true, excluded_labels = new { site = "x" } });

        JsonElement warm = await UntilAsync(cluster, model => model.GetProperty("warm").ToString() == "1");
        (await SitesAsync(cluster, warm)).ShouldBe(["y"]);
        warm.GetProperty("replicas").EnumerateArray().Single().GetProperty("state").GetString().ShouldBe("loaded");
        using HttpResponseMessage unload = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", keep_alive = 0 }, Cancellation);
        unload.StatusCode.ShouldBe(HttpStatusCode.OK);

        await PutAsync(cluster, new { min_replicas = 1, warm = false });

        await UntilAsync(cluster, model => model.GetProperty("replicas").EnumerateArray().Any(replica => replica.GetProperty("state").GetString() == "on_disk"));
    }

    [Fact]
    public async Task Request_TagIsMovedAndDeletedMeanwhile_GoesOnWithWhatTheNameStoodFor()
    {
        await using TestCluster cluster = await StartAsync();
        TaskCompletionSource go = new();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = (index, gone) => index < 3 ? Task.CompletedTask : go.Task.WaitAsync(gone) }, Cancellation);
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = JsonContent.Create(new { model = "demo", prompt = "hi", raw = true }) };
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancellation));
        string first = (await lines.ReadLineAsync(Cancellation))!;
        JsonElement before = (await GetAsync(cluster, "/cluster/models")).GetProperty("models").EnumerateArray().Single();

        byte[] other = [.. await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation), 1];
        using ByteArrayContent blob = new(other);
        using HttpResponseMessage uploaded = await cluster.Client.PostAsync($"/api/blobs/{ModelDigest.Of(other)}", blob, Cancellation);
        using HttpResponseMessage moved = await cluster.Client.PostAsJsonAsync("/api/create", new { model = "demo", files = new { other = ModelDigest.Of(other) }, stream = false }, Cancellation);
        JsonElement after = (await GetAsync(cluster, "/cluster/models")).GetProperty("models").EnumerateArray().Single();
        using HttpRequestMessage deletion = new(HttpMethod.Delete, "/api/delete") { Content = JsonContent.Create(new { model = "demo" }) };
        using HttpResponseMessage deleted = await cluster.Client.SendAsync(deletion, Cancellation);
        using HttpResponseMessage next = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "hi", raw = true }, Cancellation);
        go.SetResult();

        (uploaded.StatusCode, moved.StatusCode, deleted.StatusCode, next.StatusCode).ShouldBe((HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound));
        after.GetProperty("digest").GetString().ShouldBe(ModelDigest.Of(other));
        after.GetProperty("digest").GetString().ShouldNotBe(before.GetProperty("digest").GetString());
        string[] rest = [first, .. (await lines.ReadToEndAsync(Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        string.Concat(rest.Select(line => JsonElement.Parse(line).GetProperty("response").GetString())).ShouldBe(ScriptedEngine.Answer(20));
    }

    [Fact]
    public async Task Transfer_Cancelled_EndsAndIsNotOrderedAgain()
    {
        string storage = azurite.NewAccount();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        gate.Before = (_, gone) => new TaskCompletionSource().Task.WaitAsync(gone);
        await using TestCluster cluster = await StartAsync(storage, gate);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        await PutAsync(cluster, new { min_replicas = 1 });
        string id = (await TransferAsync(cluster)).GetProperty("id").GetString()!;

        using HttpResponseMessage cancelled = await cluster.Client.DeleteAsync($"/cluster/transfers/{id}", Cancellation);

        cancelled.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        JsonElement model = await UntilAsync(cluster, model => model.GetProperty("blocked_because").ValueKind == JsonValueKind.String);
        model.GetProperty("blocked_because").GetString()!.ShouldContain("1 where it was cancelled");
        (await GetAsync(cluster, $"/cluster/transfers/{id}")).GetProperty("state").GetString().ShouldBe("cancelled");
    }

    [Fact]
    public async Task Transfer_SignalRTakesNothing_IsNotSaidToBeCancelledOrResumed()
    {
        string storage = azurite.NewAccount();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        await using TestCluster cluster = await StartAsync(storage, gate);
        await PutAsync(cluster, new { min_replicas = 1 });
        gate.Before = (_, gone) => new TaskCompletionSource().Task.WaitAsync(gone);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        string path = $"/cluster/transfers/{(await TransferAsync(cluster)).GetProperty("id").GetString()}";

        cluster.Surface.Faults.Options = new() { Throttle = 1 };
        using HttpResponseMessage cancel = await cluster.Client.DeleteAsync(path, Cancellation);
        cluster.Surface.Faults.Options = SignalRFaultOptions.None;
        using HttpResponseMessage again = await cluster.Client.DeleteAsync(path, Cancellation);
        await UntilAsync(cluster, model => model.GetProperty("replicas").EnumerateArray().Any(replica => replica.GetProperty("state").GetString() == "cancelled"));
        cluster.Surface.Faults.Options = new() { Throttle = 1 };
        using HttpResponseMessage resume = await cluster.Client.PostAsync($"{path}/resume", null, Cancellation);

        (cancel.StatusCode, again.StatusCode, resume.StatusCode).ShouldBe((HttpStatusCode.ServiceUnavailable, HttpStatusCode.NoContent, HttpStatusCode.ServiceUnavailable));
        (await resume.Content.ReadAsStringAsync(Cancellation)).ShouldContain("SignalR did not take the message");
        (await GetAsync(cluster, path)).GetProperty("state").GetString().ShouldBe("cancelled");
    }

    [Fact]
    public async Task Transfer_CancelledWhileARequestWaits_ItFailsAndNoneBeginsAgain()
    {
        string storage = azurite.NewAccount();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        gate.Before = (_, gone) => new TaskCompletionSource().Task.WaitAsync(gone);
        await using TestCluster cluster = await StartAsync(storage, gate);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        Task<HttpResponseMessage> asking = cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "hi", raw = true }, Cancellation);
        string id = (await TransferAsync(cluster)).GetProperty("id").GetString()!;

        using HttpResponseMessage cancelled = await cluster.Client.DeleteAsync($"/cluster/transfers/{id}", Cancellation);

        using HttpResponseMessage answer = await asking;
        (await answer.Content.ReadAsStringAsync(Cancellation)).ShouldContain("was cancelled; it is not begun again for 15 min");
        (await GetAsync(cluster, "/cluster/transfers")).GetProperty("transfers").EnumerateArray().ShouldHaveSingleItem().GetProperty("state").GetString().ShouldBe("cancelled");
    }

    [Fact]
    public async Task Policy_SetAnewAfterACopyWasCancelled_ItIsMade()
    {
        string storage = azurite.NewAccount();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        await using TestCluster cluster = await StartAsync(storage, gate);
        await PutAsync(cluster, new { min_replicas = 1 });
        await CancelAsync(cluster, gate);

        await PutAsync(cluster, new { min_replicas = 0 });
        (await TransferAsync(cluster)).GetProperty("state").GetString().ShouldBe("cancelled", "nobody wants it");
        await PutAsync(cluster, new { min_replicas = 1 });

        JsonElement model = await UntilAsync(cluster, model => Actual(model) == 1);
        model.GetProperty("replicas")[0].GetProperty("state").GetString().ShouldBe("on_disk");
    }

    /// <summary>No policy wants it, and no request comes.</summary>
    [Fact]
    public async Task Resume_OfACancelledCopy_ItIsMade()
    {
        string storage = azurite.NewAccount();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        await using TestCluster cluster = await StartAsync(storage, gate);
        await PutAsync(cluster, new { min_replicas = 1 });
        string id = await CancelAsync(cluster, gate);
        await PutAsync(cluster, new { min_replicas = 0 });

        using HttpResponseMessage unknown = await cluster.Client.PostAsync($"/cluster/transfers/{id}0/resume", null, Cancellation);
        using HttpResponseMessage resumed = await cluster.Client.PostAsync($"/cluster/transfers/{id}/resume", null, Cancellation);

        (unknown.StatusCode, resumed.StatusCode).ShouldBe((HttpStatusCode.NotFound, HttpStatusCode.NoContent));
        await UntilAsync(cluster, model => Actual(model) == 1);
        using HttpResponseMessage again = await cluster.Client.PostAsync($"/cluster/transfers/{id}/resume", null, Cancellation);
        again.StatusCode.ShouldBe(HttpStatusCode.NotFound, "it is here");
    }

    /// <summary>Cancels the only copy as it begins, and says its id when that is reported; what comes after it finds the way free.</summary>
    private static async Task<string> CancelAsync(TestCluster cluster, StorageGate gate)
    {
        gate.Before = (_, gone) => new TaskCompletionSource().Task.WaitAsync(gone);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        string id = (await TransferAsync(cluster)).GetProperty("id").GetString()!;
        using HttpResponseMessage cancelled = await cluster.Client.DeleteAsync($"/cluster/transfers/{id}", Cancellation);
        await UntilAsync(cluster, model => model.GetProperty("replicas").EnumerateArray().Any(replica => replica.GetProperty("state").GetString() == "cancelled"));
        gate.Before = (_, _) => Task.CompletedTask;
        return id;
    }

    /// <param name="storage">Null: an account of its own.</param>
    /// <param name="gate">What workers read models through.</param>
    private async Task<TestCluster> StartAsync(string? storage = null, StorageGate? gate = null)
    {
        storage ??= azurite.NewAccount();
        TestCluster cluster = await TestCluster.StartAsync(
            storage,
            configure: edge =>
            {
                edge.Configure<ClusterOptions>(options => (options.Tick, options.ListEvery, options.ReplaceAfter) = (Soon, Soon, TimeSpan.FromSeconds(1)));
                edge.Configure<EdgeOptions>(options => (options.HeaderDelay, options.HeartbeatInterval) = (Soon, TimeSpan.FromSeconds(1)));
                if (gate is not null)
                    edge.AddSingleton(gate.Capabilities(storage));
            },
            logs: new LogLines(),
            cancellationToken: Cancellation);
        cluster.HasBoxes = true;
        return cluster;
    }

    private static Task<TestWorker> AddWorkerAsync(TestCluster cluster, string site) => cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation, site: site);

    private static int Actual(JsonElement model) => model.GetProperty("actual").GetInt32();

    private static string WorkerOf(JsonElement replica) => replica.GetProperty("worker_id").GetString()!;

    private static string FileName(JsonElement model) => model.GetProperty("digest").GetString()!.Replace(':', '-');

    private static async Task<string[]> SitesAsync(TestCluster cluster, JsonElement model)
    {
        Dictionary<string, string> sites = (await GetAsync(cluster, "/cluster/workers")).GetProperty("workers").EnumerateArray()
            .ToDictionary(worker => worker.GetProperty("id").GetString()!, worker => worker.GetProperty("site").GetString()!);
        return [.. model.GetProperty("replicas").EnumerateArray().Select(replica => sites[WorkerOf(replica)])];
    }

    private static async Task<JsonElement> PutAsync(TestCluster cluster, object policy)
    {
        using HttpResponseMessage response = await cluster.Client.PutAsJsonAsync("/cluster/models/demo/policy", policy, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    private static async Task<JsonElement> UntilAsync(TestCluster cluster, Func<JsonElement, bool> isSo)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            JsonElement model = await GetAsync(cluster, "/cluster/models/demo/replicas");
            if (isSo(model))
                return model;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private static async Task<JsonElement> TransferAsync(TestCluster cluster)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            JsonElement transfers = (await GetAsync(cluster, "/cluster/transfers")).GetProperty("transfers");
            if (transfers.GetArrayLength() > 0)
                return transfers[0];
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private static async Task<JsonElement> GetAsync(TestCluster cluster, string path) => JsonElement.Parse(await cluster.Client.GetStringAsync(path, Cancellation));
}

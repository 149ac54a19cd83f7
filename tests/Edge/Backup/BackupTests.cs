using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Cluster;
using OllamaMax.Edge.Backup;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.Models;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Cluster;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Security;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Tests.Backup;

/// <summary>Backups over the real endpoints and a real storage; each cluster has an account of its own.</summary>
public sealed class BackupTests(AzuriteFixture azurite)
{
    private const string Chat = """{"model":"demo","messages":[{"role":"user","content":"x"}],"stream":false}""";
    private const string Policy = "registry.ollama.ai/library/demo:latest";
    private static readonly string DemoPath = Path.Combine(RepositoryRoot.Find(), "models", "demo", "ollamamax-demo.gguf");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Restore_IntoAFreshCluster_PutsAllBackAndSaysWhichWeightsAreMissing()
    {
        await using Cluster from = await Cluster.StartAsync(azurite, epoch: 7);
        (_, string key) = await from.Edge.CreateKeyAsync(new { name = "laptop", tenant = "acme" });
        string worker = await from.EnrolAsync("box"), stranger = await from.EnrolAsync("stolen");
        await from.WishAsync(new ClusterCommand.SetPolicy("1", Policy, new() { MinReplicas = 2, Labels = new Dictionary<string, string> { ["site"] = "lab" } }));
        await from.WishAsync(new ClusterCommand.Drain("2", worker, DateTimeOffset.UnixEpoch));
        await from.WishAsync(new ClusterCommand.Revoke("3", stranger, DateTimeOffset.UnixEpoch));
        await from.PublishAsync();
        using (HttpResponseMessage answered = await from.Edge.PostAsync("/api/chat", Chat, ("x-api-key", key)))
            answered.StatusCode.ShouldBe(HttpStatusCode.OK);
        byte[] backup = await from.BackupAsync();
        Encoding.UTF8.GetString(backup).ShouldNotContain(key[^64..]);

        await using Cluster to = await Cluster.StartAsync(azurite, epoch: 3);
        // Let in here, too, before anybody knew better.
        await to.Enrolments.PutAsync((await from.Enrolments.FindAsync(stranger, Cancellation))!, Cancellation);
        JsonElement first = await to.RestoreAsync(backup, HttpStatusCode.OK);

        first.GetProperty("keys").GetInt32().ShouldBe(1);
        first.GetProperty("enrolments").GetInt32().ShouldBe(1);
        first.GetProperty("revoked_workers").EnumerateArray().Select(id => id.GetString()).ShouldBe([stranger]);
        JsonElement missing = first.GetProperty("missing").EnumerateArray().ShouldHaveSingleItem();
        missing.GetProperty("name").GetString().ShouldBe("demo:latest");
        missing.GetProperty("blobs").EnumerateArray().ShouldHaveSingleItem().GetProperty("bytes").GetInt64().ShouldBe(new FileInfo(DemoPath).Length);
        (await to.FindAsync("demo")).ShouldBeNull();

        (await to.Edge.StatusAsync("/api/tags", key)).ShouldBe(HttpStatusCode.OK);
        (await to.Enrolments.FindAsync(worker, Cancellation)).ShouldBe(await from.Enrolments.FindAsync(worker, Cancellation));
        (await to.Enrolments.FindAsync(stranger, Cancellation)).ShouldBeNull();
        LeaderDocument<ClusterState> state = await to.Documents.State.ReadAsync(Cancellation);
        (state.Epoch, state.Leader).ShouldBe((3, "edge-3"));
        state.Content.Policies[Policy].MinReplicas.ShouldBe(2);
        state.Content.Policies[Policy].Labels["site"].ShouldBe("lab");
        (state.Content.Drains.Keys.Single(), state.Content.Revoked.Keys.Single()).ShouldBe((worker, stranger));
        string usage = await from.UsageAsync();
        usage.ShouldContain("acme");
        (await to.UsageAsync()).ShouldBe(usage);

        // The weights come by another way, here under another name; the same restore once more finds them, and counts nothing twice.
        await to.Catalog.PublishAsync(DemoPath, ModelName.Parse("other"), progress: null, Cancellation);
        JsonElement second = await to.RestoreAsync(backup, HttpStatusCode.OK);

        second.GetProperty("missing").GetArrayLength().ShouldBe(0);
        second.GetProperty("models").EnumerateArray().Select(name => name.GetString()).ShouldBe(["demo:latest"]);
        (await to.FindAsync("demo")).ShouldNotBeNull().Digest.ShouldBe((await from.FindAsync("demo"))!.Digest);
        (await to.UsageAsync()).ShouldBe(usage);
    }

    [Fact]
    public async Task Restore_IntoAClusterInUse_ChangesNothingUnlessItMayOverwrite()
    {
        await using Cluster cluster = await Cluster.StartAsync(azurite, epoch: 1);
        (string kept, _) = await cluster.Edge.CreateKeyAsync(new { name = "before" });
        await cluster.WishAsync(new ClusterCommand.SetPolicy("1", Policy, new() { MinReplicas = 2 }));
        byte[] backup = await cluster.BackupAsync();
        using (await cluster.Edge.DeleteAsync($"/keys/{kept}", SecuredEdge.Admin))
        {
        }
        (string later, _) = await cluster.Edge.CreateKeyAsync(new { name = "after" });
        await cluster.WishAsync(new ClusterCommand.SetPolicy("2", Policy, new() { MinReplicas = 5 }));
        long version = (await cluster.Documents.State.ReadAsync(Cancellation)).Version;

        JsonElement refused = await cluster.RestoreAsync(backup, HttpStatusCode.Conflict);

        refused.ToString().ShouldContain(later);
        refused.ToString().ShouldContain(Policy);
        (await cluster.Documents.State.ReadAsync(Cancellation)).Version.ShouldBe(version);
        (await cluster.KeysAsync()).ShouldBe([later]);

        await cluster.RestoreAsync(backup, HttpStatusCode.OK, "?overwrite=true");

        (await cluster.KeysAsync()).ShouldBe([kept, later], ignoreOrder: true);
        (await cluster.Documents.State.ReadAsync(Cancellation)).Content.Policies[Policy].MinReplicas.ShouldBe(2);
    }

    /// <summary>The state of the backup is of an epoch far ahead: were it written, no leader here could write any more.</summary>
    [Fact]
    public async Task Restore_BackupOfALaterEpoch_LeavesTheLeaderItsDocuments()
    {
        await using Cluster from = await Cluster.StartAsync(azurite, epoch: 900);
        await from.WishAsync(new ClusterCommand.Drain("1", "w", DateTimeOffset.UnixEpoch));
        await using Cluster to = await Cluster.StartAsync(azurite, epoch: 2);

        await to.RestoreAsync(await from.BackupAsync(), HttpStatusCode.OK);

        LeaderDocument<ClusterState>? written = await to.Documents.State.ApplyAsync(
            to.Term, state => state.Apply(new ClusterCommand.Undrain("2", "w")), Cancellation);
        written.ShouldNotBeNull().Content.Drains.ShouldBeEmpty();
    }

    [Fact]
    public async Task Restore_BrokenFile_ChangesNothing()
    {
        await using Cluster cluster = await Cluster.StartAsync(azurite, epoch: 1);
        (string id, _) = await cluster.Edge.CreateKeyAsync(new { name = "laptop" });
        byte[] backup = await cluster.BackupAsync();
        using (await cluster.Edge.DeleteAsync($"/keys/{id}", SecuredEdge.Admin))
        {
        }
        long version = (await cluster.Documents.State.ReadAsync(Cancellation)).Version;

        JsonElement cut = await cluster.RestoreAsync(backup[..^10], HttpStatusCode.BadRequest, "?overwrite=true");
        await cluster.RestoreAsync("GGUF"u8.ToArray(), HttpStatusCode.BadRequest, "?overwrite=true");

        cut.ToString().ShouldContain("cut off");
        (await cluster.KeysAsync()).ShouldBeEmpty();
        (await cluster.Documents.State.ReadAsync(Cancellation)).Version.ShouldBe(version);
    }

    [Fact]
    public async Task BackupAndRestore_AreForAdminsAloneAndInTheAuditLog()
    {
        await using Cluster cluster = await Cluster.StartAsync(azurite, epoch: 1);
        (_, string operators) = await cluster.Edge.CreateKeyAsync(new { name = "op", role = "operator" });
        string name = $"admin-{Guid.NewGuid():n}";
        (_, string admin) = await cluster.Edge.CreateKeyAsync(new { name, role = "admin" });

        (await cluster.Edge.StatusAsync("/cluster/backup", operators)).ShouldBe(HttpStatusCode.Forbidden);
        using (HttpResponseMessage denied = await cluster.Edge.PostAsync("/cluster/restore", "{}", ("x-api-key", operators)))
            denied.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await cluster.Edge.StatusAsync("/cluster/backup", admin)).ShouldBe(HttpStatusCode.OK);
        using (HttpResponseMessage foreign = await cluster.Edge.PostAsync("/cluster/restore", "{}", ("x-api-key", admin)))
            foreign.StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        JsonElement log = await cluster.Edge.JsonAsync($"/audit?actor={name}", SecuredEdge.Admin);
        log.GetProperty("records").EnumerateArray().Select(record => (record.GetProperty("action").GetString(), record.GetProperty("status").GetInt32()))
            .ShouldBe([("GET /cluster/backup", 200), ("POST /cluster/restore", 400)]);
    }

    [Fact]
    public async Task Backup_WithoutUsage_LeavesThatAloneAndIsRestored()
    {
        await using Cluster cluster = await Cluster.StartAsync(azurite, epoch: 1);
        (_, string key) = await cluster.Edge.CreateKeyAsync(new { name = "laptop", tenant = "acme" });
        using (HttpResponseMessage answered = await cluster.Edge.PostAsync("/api/chat", Chat, ("x-api-key", key)))
            answered.StatusCode.ShouldBe(HttpStatusCode.OK);
        await cluster.BackupAsync();
        string usage = await cluster.UsageAsync();

        byte[] backup = await cluster.BackupAsync("?usage=false");
        JsonElement restored = await cluster.RestoreAsync(backup, HttpStatusCode.OK);

        Encoding.UTF8.GetString(backup).ShouldNotContain("\"kind\":\"usage\"");
        (restored.GetProperty("keys").GetInt32(), restored.GetProperty("usage_days").GetInt32()).ShouldBe((1, 0));
        (await cluster.UsageAsync()).ShouldBe(usage);
    }

    /// <summary>An edge with a storage of its own, where a leader has taken over.</summary>
    private sealed class Cluster : IAsyncDisposable
    {
        private readonly SignalRSurface _surface;
        private readonly StorageAccount _account;

        private Cluster(EdgeServer edge, SignalRSurface surface, StorageAccount account, long epoch)
        {
            (_surface, _account) = (surface, account);
            Edge = edge;
            Documents = new(new BlobDocuments(account));
            Enrolments = new(account, TimeProvider.System);
            Catalog = new(account.Blobs, TimeProvider.System, NullLogger<ModelCatalog>.Instance);
            Usage = new(account, NullLogger<UsageStore>.Instance);
            Keys = new(account);
            Term = new(epoch, $"edge-{epoch}", DateTimeOffset.UnixEpoch);
        }

        public EdgeServer Edge { get; }

        public LeaderTerm Term { get; }

        public ClusterDocuments Documents { get; }

        public WorkerEnrolments Enrolments { get; }

        public ModelCatalog Catalog { get; }

        private UsageStore Usage { get; }

        private KeyStore Keys { get; }

        public static async Task<Cluster> StartAsync(AzuriteFixture azurite, long epoch)
        {
            StorageAccount account = new(azurite.NewAccount());
            // It tells the other edges, and closes connections of workers that are not let in any more.
            SignalRSurface surface = await SignalRSurface.StartAsync(new(), TimeProvider.System, NullLoggerFactory.Instance, Cancellation);
            EdgeServer edge = await SecuredEdge.StartAsync(account, more: services => services
                .AddSingleton<BlobDocuments>()
                .AddSingleton(provider => new ClusterDocuments(provider.GetRequiredService<BlobDocuments>()))
                .AddSingleton<WorkerEnrolments>()
                .AddSingleton<Heartbeats>()
                .AddSingleton<ClusterWatch>()
                .AddSingleton<SignalRSender>()
                .AddSingleton(provider => new SignalRHub(
                    SignalRConnectionString.Parse(surface.ConnectionString), Users.Hub, provider.GetRequiredService<SignalRSender>(), provider.GetRequiredService<TimeProvider>()))
                .AddSingleton<EdgeListener>()
                .AddSingleton<ClusterNudges>()
                .AddSingleton<WorkerWishes>()
                .AddSingleton(provider => new ModelCatalog(account.Blobs, TimeProvider.System, NullLogger<ModelCatalog>.Instance))
                .AddBackup());
            edge.Jobs.Script = job => job.Accept().Say("hello").Finish();
            Cluster cluster = new(edge, surface, account, epoch);
            foreach (FencedStore document in cluster.Documents.All)
                (await document.TakeOverAsync(cluster.Term, Cancellation)).ShouldBeTrue();
            return cluster;
        }

        public async Task<string> EnrolAsync(string name)
        {
            (string token, _) = await Enrolments.CreateJoinTokenAsync(TimeSpan.FromMinutes(5), Cancellation);
            EnrolmentRecord? record = await Enrolments.EnrolAsync(token, name, "public", Cancellation);
            return record.ShouldNotBeNull().Id;
        }

        public async Task WishAsync(ClusterCommand.Wish wish) => await Documents.State.ChangeAsync(state => state.Apply(wish), Cancellation);

        public async Task PublishAsync() => await Catalog.PublishAsync(DemoPath, ModelName.Parse("demo"), progress: null, Cancellation);

        /// <summary>As storage has it: a catalogue that has looked already may not look again for a second.</summary>
        public async Task<ModelView?> FindAsync(string name)
        {
            using ModelCatalog fresh = new(_account.Blobs, TimeProvider.System, NullLogger<ModelCatalog>.Instance);
            return await fresh.FindAsync(ModelName.Parse(name), Cancellation);
        }

        public async Task<byte[]> BackupAsync(string query = "")
        {
            using HttpResponseMessage response = await Edge.GetAsync($"/cluster/backup{query}", SecuredEdge.Admin);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
            return await response.Content.ReadAsByteArrayAsync(Cancellation);
        }

        public async Task<JsonElement> RestoreAsync(byte[] backup, HttpStatusCode expected, string query = "")
        {
            using HttpResponseMessage response = await Edge.SendAsync(
                HttpMethod.Post, $"/cluster/restore{query}", new ByteArrayContent(backup), ("Authorization", $"Bearer {SecuredEdge.Admin}"));
            string text = await response.TextAsync();
            response.StatusCode.ShouldBe(expected, text);
            return JsonElement.Parse(text);
        }

        public async Task<string[]> KeysAsync() => [.. (await Keys.ListAsync(Cancellation)).Select(key => key.Id)];

        public async Task<string> UsageAsync() => JsonSerializer.Serialize(
            (await Usage.ListAsync(new(2020, 1, 1), new(2030, 1, 1), tenant: null, Cancellation)).Select(usage => new { usage.Day, usage.Tenant, usage.Credential, usage.Models }));

        public async ValueTask DisposeAsync()
        {
            Catalog.Dispose();
            await Edge.DisposeAsync();
            await _surface.DisposeAsync();
        }
    }
}

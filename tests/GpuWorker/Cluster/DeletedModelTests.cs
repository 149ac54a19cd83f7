using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Jobs;
using OllamaMax.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Cluster;

/// <summary>What becomes of workers' copies when their models' names are deleted.</summary>
public sealed class DeletedModelTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Delete_LastNameOfAPinnedCopy_ItLeavesTheDiskAndTheOthersStay()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), configure: Hasten, cancellationToken: Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        string demo = ModelDigest.Of(await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation)), other = await PublishOtherAsync(cluster);
        await PutAsync(cluster, "demo", new { min_replicas = 1, pin = true });
        await PutAsync(cluster, "other", new { min_replicas = 1 });
        await UntilAsync(() => File.Exists(PathOf(cluster, demo) + ".pinned") && File.Exists(PathOf(cluster, other) + ".chunks"));

        using HttpRequestMessage deletion = new(HttpMethod.Delete, "/api/delete") { Content = JsonContent.Create(new { model = "demo" }) };
        using HttpResponseMessage deleted = await cluster.Client.SendAsync(deletion, Cancellation);

        deleted.StatusCode.ShouldBe(HttpStatusCode.OK);
        await UntilAsync(() => Directory.GetFiles(cluster.ReplicasOf("worker-1"), $"{ModelDigest.FileName(demo)}*").Length == 0);
        File.Exists(PathOf(cluster, other)).ShouldBeTrue();
    }

    /// <summary>Days in seconds.</summary>
    private static void Hasten(IServiceCollection edge)
    {
        edge.Configure<ClusterOptions>(options =>
        {
            (options.Tick, options.ListEvery) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200));
            (options.OrphansEvery, options.ContentKept) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        });
        edge.Configure<BackgroundOptions>(options => options.Deadline = TimeSpan.FromSeconds(1));
    }

    private static async Task<string> PublishOtherAsync(TestCluster cluster)
    {
        byte[] other = [.. await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation), 1];
        string digest = ModelDigest.Of(other);
        while (true)
        {
            using ByteArrayContent blob = new(other);
            using HttpResponseMessage uploaded = await cluster.Client.PostAsync($"/api/blobs/{digest}", blob, Cancellation);
            using HttpResponseMessage created = await cluster.Client.PostAsJsonAsync("/api/create", new { model = "other", files = new { other = digest }, stream = false }, Cancellation);
            if (created.StatusCode == HttpStatusCode.OK)
                return digest;
            // On a busy machine what has no name yet may be collected in between: then it is to be sent again.
            (await created.Content.ReadAsStringAsync(Cancellation)).ShouldContain($"blob {digest} is not there");
        }
    }

    private static async Task PutAsync(TestCluster cluster, string model, object policy)
    {
        using HttpResponseMessage response = await cluster.Client.PutAsJsonAsync($"/cluster/models/{model}/policy", policy, Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static string PathOf(TestCluster cluster, string digest) => Path.Combine(cluster.ReplicasOf("worker-1"), ModelDigest.FileName(digest));

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (!isSo())
            await timer.WaitForNextTickAsync(Cancellation);
    }
}

using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.GpuWorker.Tests.Models;
using OllamaMax.Models;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Cluster;

/// <summary>A worker with hundreds of small models, more than a heartbeat's metadata can name.</summary>
public sealed class ManyCopiesTests(AzuriteFixture azurite)
{
    private const int Copies = 300;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Policy_OfOneAmongHundreds_TheEdgeKnowsAllAndItIsPinned()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount(), configure: edge => edge.Configure<ClusterOptions>(options => (options.Tick, options.ListEvery) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200))),
            cancellationToken: Cancellation);
        string folder = cluster.ReplicasOf("worker-1");
        Directory.CreateDirectory(folder);
        for (int i = 0; i < Copies; i++)
            await WriteCopyAsync(folder, BitConverter.GetBytes(i));
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);

        using HttpResponseMessage put = await cluster.Client.PutAsJsonAsync("/cluster/models/demo/policy", new { min_replicas = 1, pin = true }, Cancellation);

        put.EnsureSuccessStatusCode();
        WorkerReport report = await ReportAsync(cluster, report => report.Models.Any(model => model.Pinned == true));
        report.Models.Count.ShouldBe(Copies + 1);
        report.Models.Single(model => model.Pinned == true).Digest.ShouldBe(await DemoAsync());
    }

    private static async Task WriteCopyAsync(string folder, byte[] content)
    {
        string digest = ModelDigest.Of(content), path = Path.Combine(folder, ModelDigest.FileName(digest));
        await File.WriteAllBytesAsync(path, content, Cancellation);
        await File.WriteAllBytesAsync(path + ".chunks", ReplicaBox.ListOf(digest, content).ToBytes(), Cancellation);
    }

    private static async Task<string> DemoAsync() => ModelDigest.Of(await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation));

    private static async Task<WorkerReport> ReportAsync(TestCluster cluster, Func<WorkerReport, bool> isSo)
    {
        Heartbeats heartbeats = cluster.EdgeServices.GetRequiredService<Heartbeats>();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            IReadOnlyList<WorkerView> workers = await heartbeats.ListAsync(Cancellation);
            if (workers.FirstOrDefault(worker => isSo(worker.Report)) is { } found)
                return found.Report;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}

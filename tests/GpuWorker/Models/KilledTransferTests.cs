using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Cluster;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>A real worker process, a real storage, and kill -9 while a copy is made on the leader's order.</summary>
public sealed class KilledTransferTests(AzuriteFixture azurite)
{
    private const int Chunks = 12;
    private const int Killed = 7;

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_WorkerIsKilledInBetween_TheNextOneGoesOnWithWhatIsThere()
    {
        string storage = azurite.NewAccount();
        using TempFolder folder = new();
        await using StorageGate gate = await StorageGate.StartAsync(new StorageAccount(storage).Blobs.Uri, Cancellation);
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        gate.Before = (number, gone) =>
        {
            if (number < Killed)
                return Task.CompletedTask;
            reached.TrySetResult();
            return new TaskCompletionSource().Task.WaitAsync(gone);
        };
        await using TestCluster cluster = await TestCluster.StartAsync(
            storage,
            configure: edge =>
            {
                edge.Configure<ClusterOptions>(options => (options.Tick, options.ListEvery) = (Soon, Soon));
                edge.AddSingleton(gate.Capabilities(storage));
            },
            logs: new LogLines(),
            cancellationToken: Cancellation);
        string digest = await PublishAsync(cluster, folder.File("large.gguf"));
        var (token, _) = await cluster.EdgeServices.GetRequiredService<WorkerEnrolments>().CreateJoinTokenAsync(TimeSpan.FromMinutes(5), Cancellation);
        JoinedWorkerOptions options = new() { Data = folder.File("worker") };
        await using JoinedWorker first = await JoinedWorker.StartAsync(cluster.Client.BaseAddress!, token, options, Cancellation);
        (await cluster.Client.PutAsJsonAsync("/cluster/models/large/policy", new { min_replicas = 1 }, Cancellation)).EnsureSuccessStatusCode();
        await reached.Task.WaitAsync(Cancellation);

        LocalSystem.Kill(first.Pid);
        await first.Exit;

        string copy = Path.Combine(folder.File("worker"), "replicas", ModelDigest.FileName(digest));
        File.Exists(copy).ShouldBeFalse();
        gate.Before = (_, _) => Task.CompletedTask;
        await using JoinedWorker second = await JoinedWorker.StartAsync(cluster.Client.BaseAddress!, joinToken: null, options, Cancellation);
        await UntilItHasACopyAsync(cluster);
        await using FileStream file = File.OpenRead(copy);
        ModelDigest.Format(await SHA256.HashDataAsync(file, Cancellation)).ShouldBe(digest);
        gate.Pieces.ShouldBeLessThanOrEqualTo(Chunks + ChunkCopy.Lanes);
    }

    /// <summary>The demo model with something behind it that no tensor is in.</summary>
    private static async Task<string> PublishAsync(TestCluster cluster, string path)
    {
        File.Copy(TestCluster.DemoModel, path);
        await using (FileStream file = new(path, FileMode.Append))
        {
            byte[] more = new byte[(Chunks * ModelChunks.DefaultSize) - file.Length];
            new Random(1).NextBytes(more);
            await file.WriteAsync(more, Cancellation);
        }
        return (await cluster.EdgeServices.GetRequiredService<ModelCatalog>().PublishAsync(path, ModelName.Parse("large"), null, Cancellation)).Weights;
    }

    private static async Task UntilItHasACopyAsync(TestCluster cluster)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            JsonElement model = await cluster.Client.GetFromJsonAsync<JsonElement>("/cluster/models/large/replicas", Cancellation);
            if (model.GetProperty("actual").GetInt32() == 1)
                return;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}

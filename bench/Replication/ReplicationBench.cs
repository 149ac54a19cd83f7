using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.Bench.Reporting;
using OllamaMax.GpuWorker;
using OllamaMax.GpuWorker.Models;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Bench.Replication;

/// <summary>What a worker's copy costs beside a plain download of the same bytes, taken in turns, and how soon a policy has its copies.</summary>
internal static class ReplicationBench
{
    private const double LeastOfPlain = 0.7;

    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        ReplicationSizes sizes = options.Quick ? ReplicationSizes.Quick : ReplicationSizes.Full;
        sizes = sizes with { Repeats = options.Repeats ?? sizes.Repeats };
        using TempFolder folder = new();
        options.Report("replication: starting Azurite");
        await using AzuriteProcess azurite = await AzuriteFixture.StartAsync(folder.File("azurite"), cancellationToken);
        if (options.Wants("copy"))
            await MeasureCopiesAsync(azurite.ConnectionString, folder, sizes, options, result, cancellationToken);
        if (options.Wants("policy"))
            await MeasurePolicyAsync(azurite.ConnectionString, folder, sizes, options, result, cancellationToken);
    }

    private static async Task MeasureCopiesAsync(
        string storage, TempFolder folder, ReplicationSizes sizes, BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        BlobContainerClient container = new StorageAccount(storage).Blobs.GetBlobContainerClient(Containers.Models);
        await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
        string large = await PublishAsync(container, sizes.Bytes, seed: 1, cancellationToken), small = await PublishAsync(container, sizes.FewBytes, seed: 2, cancellationToken);
        Uri signed = container.GenerateSasUri(BlobContainerSasPermissions.Read, TimeProvider.System.GetUtcNow().AddHours(3));
        using HttpClient http = new();
        (Samples plain, Samples copies, Samples memoryOfLarge, Samples memoryOfSmall) = (new(), new(), new(), new());
        for (int i = -1; i < sizes.Repeats; i++)
        {
            options.Report($"replication: copy {i + 1} of {sizes.Repeats}");
            string path = folder.File("plain");
            Uri blob = new BlobContainerClient(signed).GetBlobClient(ModelPaths.Blob(large)).Uri;
            long start = Stopwatch.GetTimestamp();
            await PlainDownload.RunAsync(http, blob, sizes.Bytes, ModelChunks.DefaultSize, ChunkCopy.Lanes, path, cancellationToken);
            TimeSpan plainTook = Stopwatch.GetElapsedTime(start);
            File.Delete(path);
            var (took, memory) = await CopyAsync(signed, large, folder, cancellationToken);
            var (_, few) = await CopyAsync(signed, small, folder, cancellationToken);
            // The first round compiles.
            if (i < 0)
                continue;
            plain.Add(plainTook);
            copies.Add(took);
            memoryOfLarge.Add(memory);
            memoryOfSmall.Add(few);
        }
        Table times = result.Add(Table.OfTimes(
            $"{sizes.Bytes / 1_000_000} MB from Azurite to a file, in turns",
            $"Both with {ChunkCopy.Lanes} connections and ranges of 4 MiB. The copy hashes each piece and the whole, and waits until the disk has it; the plain download does neither."));
        times.Add("plain download", plain.Times);
        times.Add("a worker's copy", copies.Times);
        Table heap = result.Add(new Table("Memory of a copy", "Growth of the managed heap at its highest, looked at every 10 ms; garbage that waits for its collection is in it.", ["megabytes", "median", "most"]));
        heap.Add($"{sizes.FewBytes / 1_000_000} MB", memoryOfSmall.Median, memoryOfSmall.Max);
        heap.Add($"{sizes.Bytes / 1_000_000} MB", memoryOfLarge.Median, memoryOfLarge.Max);
        result.Aim("speed of a copy, of that of a plain download", plain.Median / copies.Median, LeastOfPlain, atMost: false);
    }

    private static async Task<(TimeSpan Took, double Megabytes)> CopyAsync(Uri container, string digest, TempFolder folder, CancellationToken cancellationToken)
    {
        string replicas = folder.File($"replicas-{Guid.NewGuid():n}");
        IOptions<WorkerOptions> worker = Options.Create(new WorkerOptions { Edge = new Uri("http://localhost"), Data = folder.Path, Replicas = replicas, Name = "bench" });
        await using ReplicaStore store = new(
            new ReplicaFolder(worker, TimeProvider.System),
            new ModelSource(() => container, new SignedStorage(), TimeProvider.System, NullLogger<ModelSource>.Instance),
            new Random(1), worker, TimeProvider.System, NullLogger<ReplicaStore>.Instance);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long most = before;
        using CancellationTokenSource end = new();
        Task watching = WatchAsync();
        long start = Stopwatch.GetTimestamp();
        (await store.HoldAsync(digest, cancellationToken)).Dispose();
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        await end.CancelAsync();
        await watching;
        Directory.Delete(replicas, recursive: true);
        return (took, (most - before) / 1e6);

        async Task WatchAsync()
        {
            using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
            while (!end.IsCancellationRequested)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false));
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }
        }
    }

    private static async Task MeasurePolicyAsync(
        string storage, TempFolder folder, ReplicationSizes sizes, BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(storage, cancellationToken: cancellationToken);
        cluster.HasBoxes = true;
        ModelCatalog catalog = cluster.EdgeServices.GetRequiredService<ModelCatalog>();
        for (int i = 0; i < sizes.Workers; i++)
            await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), cancellationToken);
        Samples times = new();
        for (int i = 0; i < sizes.Repeats; i++)
        {
            options.Report($"replication: policy {i + 1} of {sizes.Repeats}");
            string path = folder.File("model.gguf");
            WriteModel(path, sizes.Bytes, seed: 100 + i);
            await catalog.PublishAsync(path, ModelName.Parse($"bench{i}"), null, cancellationToken);
            long start = Stopwatch.GetTimestamp();
            (await cluster.Client.PutAsJsonAsync($"/cluster/models/bench{i}/policy", new { min_replicas = sizes.Workers }, cancellationToken)).EnsureSuccessStatusCode();
            while ((await cluster.Client.GetFromJsonAsync<JsonElement>($"/cluster/models/bench{i}/replicas", cancellationToken)).GetProperty("actual").GetInt32() < sizes.Workers)
                await Task.Delay(20, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start));
        }
        Table table = result.Add(Table.OfTimes(
            $"From a policy of {sizes.Workers} copies to the last of them, {sizes.Bytes / 1_000_000} MB each",
            "Edge, three workers and their copying in one process, Azurite beside it on the same disk: what the copies take is mostly the machine's. An edge's view is up to a second old."));
        table.Add("policy", times.Times);
    }

    private static async Task<string> PublishAsync(BlobContainerClient container, int size, int seed, CancellationToken cancellationToken)
    {
        byte[] content = new byte[size];
        new Random(seed).NextBytes(content);
        string digest = ModelDigest.Of(content);
        ModelChunks list = new()
        {
            Digest = digest,
            Size = size,
            ChunkSize = ModelChunks.DefaultSize,
            Chunks = [.. Enumerable.Range(0, (size + ModelChunks.DefaultSize - 1) / ModelChunks.DefaultSize)
                .Select(i => ModelDigest.Of(content.AsSpan(i * ModelChunks.DefaultSize, Math.Min(ModelChunks.DefaultSize, size - (i * ModelChunks.DefaultSize)))))],
        };
        await container.GetBlobClient(ModelPaths.Blob(digest)).UploadAsync(new BinaryData(content), overwrite: true, cancellationToken);
        await container.GetBlobClient(ModelPaths.Chunks(digest)).UploadAsync(new BinaryData(list.ToBytes()), overwrite: true, cancellationToken);
        return digest;
    }

    /// <summary>The demo model with random bytes behind it, which no tensor is in.</summary>
    private static void WriteModel(string path, int size, int seed)
    {
        File.Copy(TestCluster.DemoModel, path, overwrite: true);
        using FileStream file = new(path, FileMode.Append);
        byte[] more = new byte[size - file.Length];
        new Random(seed).NextBytes(more);
        file.Write(more);
    }
}

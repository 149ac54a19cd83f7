using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>A box with a folder of replicas, a real storage with weights of random bytes in small pieces, and a gate between the two.</summary>
internal sealed class ReplicaBox : IAsyncDisposable
{
    public const int ChunkSize = 64 << 10;

    private readonly TempFolder _folder = new();
    private readonly List<ReplicaStore> _stores = [];
    private readonly BlobContainerClient _container;

    private ReplicaBox(BlobContainerClient container, StorageGate gate)
    {
        _container = container;
        Gate = gate;
    }

    public StorageGate Gate { get; }

    public WatchedTimeProvider Time { get; } = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<ReplicaBox> StartAsync(AzuriteFixture azurite)
    {
        BlobContainerClient container = new StorageAccount(azurite.NewAccount()).Blobs.GetBlobContainerClient(Containers.Models);
        await container.CreateIfNotExistsAsync(cancellationToken: Cancellation);
        return new ReplicaBox(container, await StorageGate.StartAsync(container.Uri, Cancellation));
    }

    /// <summary>One worker's view of the box's folder.</summary>
    public ReplicaStore Store(long? budget = null, TimeProvider? time = null, string? folder = null)
    {
        IOptions<WorkerOptions> options = Options.Create(
            new WorkerOptions { Edge = new Uri("http://127.0.0.1:1/"), Data = _folder.File("data"), Replicas = folder ?? _folder.File("replicas"), Name = "test", DiskBudget = budget });
        Uri signed = Gate.Through(_container.GenerateSasUri(BlobContainerSasPermissions.Read, TimeProvider.System.GetUtcNow().AddHours(1)));
        time ??= Time;
        ReplicaStore store = new(
            new ReplicaFolder(options, time), new ModelSource(() => signed, new SignedStorage(), time, NullLogger<ModelSource>.Instance), new Random(1), options, time, NullLogger<ReplicaStore>.Instance);
        _stores.Add(store);
        return store;
    }

    /// <summary>Puts weights into storage.</summary>
    /// <param name="seed">Of the bytes.</param>
    /// <param name="chunks">How many pieces; the last is short.</param>
    /// <param name="change">What lies there instead of what was published; the list stays that of the latter.</param>
    public async Task<(string Digest, byte[] Content)> PublishAsync(int seed, int chunks, Func<byte[], byte[]>? change = null)
    {
        byte[] content = new byte[(chunks * ChunkSize) - 1000];
        new Random(seed).NextBytes(content);
        string digest = ModelDigest.Of(content);
        await WriteAsync(digest, change?.Invoke(content) ?? content, ListOf(digest, content));
        return (digest, content);
    }

    public async Task WriteAsync(string digest, byte[] content, ModelChunks list)
    {
        await _container.GetBlobClient(ModelPaths.Blob(digest)).UploadAsync(new BinaryData(content), overwrite: true, Cancellation);
        await _container.GetBlobClient(ModelPaths.Chunks(digest)).UploadAsync(new BinaryData(list.ToBytes()), overwrite: true, Cancellation);
    }

    public Task DeleteAsync(string digest) => _container.GetBlobClient(ModelPaths.Blob(digest)).DeleteAsync(cancellationToken: Cancellation);

    public static ModelChunks ListOf(string digest, byte[] content) => new()
    {
        Digest = digest,
        Size = content.Length,
        ChunkSize = ChunkSize,
        Chunks = [.. content.Chunk(ChunkSize).Select(piece => ModelDigest.Of(piece))],
    };

    /// <summary>Path of a copy.</summary>
    public string PathOf(string digest) => Path.Combine(_folder.File("replicas"), ModelDigest.FileName(digest));

    public async ValueTask DisposeAsync()
    {
        foreach (ReplicaStore store in _stores)
            await store.DisposeAsync();
        await Gate.DisposeAsync();
        _folder.Dispose();
    }
}

using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Weights in blob storage, by pieces. What storage cannot give at the moment is asked for again for half a minute.</summary>
/// <param name="container">Address of the models with leave to read them, as it is now: it changes while a long copy is made.</param>
internal sealed partial class ModelSource(Func<Uri> container, SignedStorage storage, TimeProvider time, ILogger<ModelSource> logger)
{
    private volatile Connection? _connection;

    /// <summary>What the pieces of the weights hash to.</summary>
    /// <exception cref="ReplicaException">There are no such weights, or storage cannot be read.</exception>
    public async Task<ModelChunks> ChunksAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult list = await TryAsync(
                digest, async () => (await Blob(ModelPaths.Chunks(digest)).DownloadContentAsync(cancellationToken)).Value, cancellationToken);
            ModelChunks chunks = ModelChunks.Parse(list.Content.ToMemory().Span);
            return chunks.Digest == digest && chunks.ChunkSize <= ModelChunks.LargestSize
                ? chunks
                : throw new ReplicaException($"the list of the chunks of {digest} is another model's, or has chunks of more than {ModelChunks.LargestSize} bytes");
        }
        catch (FormatException e)
        {
            throw new ReplicaException($"the list of the chunks of {digest} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a piece.</summary>
    /// <returns>Bytes read: fewer than wanted where the weights end before.</returns>
    /// <exception cref="ReplicaException">There are no such weights, or storage cannot be read.</exception>
    public Task<int> ReadAsync(string digest, long offset, Memory<byte> into, CancellationToken cancellationToken) => TryAsync(
        digest,
        async () =>
        {
            try
            {
                BlobDownloadOptions options = new() { Range = new HttpRange(offset, into.Length) };
                using BlobDownloadStreamingResult piece = await Blob(ModelPaths.Blob(digest)).DownloadStreamingAsync(options, cancellationToken);
                return await piece.Content.ReadAtLeastAsync(into, into.Length, throwOnEndOfStream: false, cancellationToken);
            }
            catch (RequestFailedException e) when (e.Status == 416)
            {
                return 0;
            }
        },
        cancellationToken);

    private async Task<T> TryAsync<T>(string digest, Func<Task<T>> read, CancellationToken cancellationToken)
    {
        for (int failures = 0; ; failures++)
        {
            try
            {
                return await read();
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                throw new ReplicaException($"the cluster has no model {digest}", e);
            }
            catch (Exception e) when (IsStorages(e))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (failures == StorageWaits.All.Count)
                    throw new ReplicaException($"model {digest} cannot be fetched: {(e as RequestFailedException)?.ErrorCode ?? e.Message}", e);
                LogAgain(digest, e.Message, StorageWaits.All[failures].TotalSeconds);
                await Task.Delay(StorageWaits.All[failures], time, cancellationToken);
            }
        }
    }

    /// <summary>A body that breaks off is an <see cref="IOException"/>, a server that is silent a cancellation.</summary>
    private static bool IsStorages(Exception e) => e is RequestFailedException or AggregateException or IOException or OperationCanceledException;

    private BlobClient Blob(string name)
    {
        Uri now = container();
        Connection? connection = _connection;
        if (connection is null || connection.Address != now)
            _connection = connection = new(now, storage.ContainerTriedOnce(now)); // The waits are here, where they take this worker's clock.
        return connection.Container.GetBlobClient(name);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Digest}: storage cannot be read ({Reason}); again in {Seconds} s")]
    private partial void LogAgain(string digest, string reason, double seconds);

    private sealed record Connection(Uri Address, BlobContainerClient Container);
}

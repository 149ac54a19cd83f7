using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Writes a model's blobs, in the order that makes each refer only to what is there: weights, chunk list, config, manifest.
/// </summary>
internal sealed class ModelPublisher(BlobContainerClient container, FileDigestCache digests)
{
    /// <summary>A few blocks in flight hide the latency of each; memory stays at their product.</summary>
    private static StorageTransferOptions Transfer(ModelChunks chunks) => new()
    {
        InitialTransferSize = 2 * chunks.ChunkSize,
        MaximumTransferSize = 2 * chunks.ChunkSize,
        MaximumConcurrency = 4,
    };

    public async Task PublishAsync(string path, ModelName name, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<string> files = GgufFiles.Find(path);
            ModelFiles before = ModelFiles.Look(files);
            await using Stream file = GgufFiles.Open(files);
            ModelConfig config = ModelConfig.From(GgufReader.Read(file));
            await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            ModelLayer weights = await PublishWeightsAsync(files, before, file, progress, cancellationToken);
            await new ManifestWriter(container).WriteAsync(name, config, [weights], cancellationToken);
            progress?.Report(new PublishProgress(PublishStage.Published, file.Length, file.Length));
        }
        catch (GgufFormatException e)
        {
            throw new ModelPublishException($"'{path}' cannot be published: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelPublishException($"'{path}' cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"model '{name}' cannot be written to blob storage", e);
        }
    }

    private async Task<ModelLayer> PublishWeightsAsync(
        IReadOnlyList<string> files, ModelFiles before, Stream file, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        string? known = digests.Find(before);
        if (known is not null
            && await ExistsAsync(ModelPaths.Blob(known), cancellationToken)
            && await ExistsAsync(ModelPaths.Chunks(known), cancellationToken))
        {
            return new ModelLayer(ModelLayer.Model, known, file.Length);
        }

        ModelChunks chunks = await FileDigest.ComputeAsync(file, progress, cancellationToken);
        if (!await ExistsAsync(ModelPaths.Blob(chunks.Digest), cancellationToken))
            await UploadAsync(files, before, file, chunks, progress, cancellationToken);
        await WriteAsync(ModelPaths.Chunks(chunks.Digest), chunks.ToBytes(), cancellationToken);
        digests.Remember(before, chunks.Digest);
        return new ModelLayer(ModelLayer.Model, chunks.Digest, chunks.Size);
    }

    private async Task UploadAsync(
        IReadOnlyList<string> files, ModelFiles before, Stream file, ModelChunks chunks, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        BlobClient blob = container.GetBlobClient(ModelPaths.Blob(chunks.Digest));
        file.Position = 0;
        BlobUploadOptions options = new()
        {
            TransferOptions = Transfer(chunks),
            Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
            ProgressHandler = progress is null ? null : new UploadProgress(progress, chunks.Size),
        };
        try
        {
            await blob.UploadAsync(file, options, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            return; // Another edge published the same file meanwhile.
        }
        if (ModelFiles.Look(files) == before)
            return;
        // What lies there is not what its name says.
        await blob.DeleteIfExistsAsync(cancellationToken: cancellationToken);
        throw new ModelPublishException($"'{before.Path}' changed while it was published");
    }

    private async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken) =>
        await container.GetBlobClient(path).ExistsAsync(cancellationToken);

    private async Task WriteAsync(string path, byte[] bytes, CancellationToken cancellationToken) =>
        await container.GetBlobClient(path).UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, cancellationToken);

    private sealed class UploadProgress(IProgress<PublishProgress> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new PublishProgress(PublishStage.Uploading, value, total));
    }
}

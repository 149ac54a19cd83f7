using Azure;
using Azure.Storage.Blobs;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Gguf.Ollama;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Writes a model's blobs, in the order that makes each refer only to what is there: weights with their chunk list, config, manifest.
/// </summary>
internal sealed class ModelPublisher(BlobContainerClient container, FileDigestCache digests)
{
    private readonly ModelBlobs _blobs = new(container);

    public async Task PublishAsync(string path, ModelName name, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<string> paths = GgufFiles.Find(path);
            ModelFiles files = ModelFiles.Look(paths);
            await using Stream opened = GgufFiles.Open(paths);
            await using Stream file = OllamaGguf.Open(opened);
            ModelConfig config = ModelConfig.From(GgufReader.Read(file));
            await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            ModelLayer weights = await PublishWeightsAsync(files, file, isAsTheyLie: ReferenceEquals(file, opened), progress, cancellationToken);
            if (!await new ManifestWriter(container).WriteAsync(name, config, [weights], cancellationToken))
                throw new CatalogException($"blob {weights.Digest} was deleted while model '{name}' was published");
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

    /// <summary>Only of files as they lie there is a digest remembered: what is made of them is this version's.</summary>
    private async Task<ModelLayer> PublishWeightsAsync(ModelFiles files, Stream file, bool isAsTheyLie, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        string? known = isAsTheyLie ? digests.Find(files) : null;
        if (known is not null
            && await ExistsAsync(ModelPaths.Blob(known), cancellationToken)
            && await ExistsAsync(ModelPaths.Chunks(known), cancellationToken))
        {
            return new ModelLayer(ModelLayer.Model, known, file.Length);
        }

        ModelChunks chunks = await FileDigest.ComputeAsync(file, progress, cancellationToken);
        if (await ExistsAsync(ModelPaths.Blob(chunks.Digest), cancellationToken))
            await container.GetBlobClient(ModelPaths.Chunks(chunks.Digest)).UploadAsync(BinaryData.FromBytes(chunks.ToBytes()), overwrite: true, cancellationToken);
        else
            await UploadAsync(files.Path, file, chunks, progress, cancellationToken);
        if (isAsTheyLie)
            digests.Remember(files, chunks.Digest);
        return new ModelLayer(ModelLayer.Model, chunks.Digest, chunks.Size);
    }

    private async Task UploadAsync(string path, Stream file, ModelChunks chunks, IProgress<PublishProgress>? progress, CancellationToken cancellationToken)
    {
        if (!await _blobs.WriteAsync(chunks, file, cancellationToken, done => progress?.Report(new PublishProgress(PublishStage.Uploading, done, chunks.Size))))
            throw new ModelPublishException($"'{path}' changed while it was published");
    }

    private async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken) =>
        await container.GetBlobClient(path).ExistsAsync(cancellationToken);
}

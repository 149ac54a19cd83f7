using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>Reads and writes what names stand for. A manifest comes after everything that it refers to.</summary>
internal sealed class ManifestWriter(BlobContainerClient container)
{
    /// <summary>Null where nothing has that name.</summary>
    /// <exception cref="FormatException">What stands there cannot be read.</exception>
    public async Task<(ModelManifest Manifest, ModelConfig Config)?> ReadAsync(ModelName name, CancellationToken cancellationToken)
    {
        if (await TryReadAsync(ModelPaths.Manifest(name), cancellationToken) is not { } bytes)
            return null;
        ModelManifest manifest = ModelManifest.Parse(bytes.Span);
        if (await TryReadAsync(ModelPaths.Blob(manifest.Config.Digest), cancellationToken) is not { } config)
            throw new FormatException($"The config of model '{name}' is gone.");
        return (manifest, ModelConfig.Parse(config.Span));
    }

    /// <inheritdoc cref="WriteAsync(ModelName, ModelManifest, CancellationToken)"/>
    public async Task<bool> WriteAsync(ModelName name, ModelConfig config, IReadOnlyList<ModelLayer> layers, CancellationToken cancellationToken)
    {
        byte[] bytes = config.ToBytes();
        string digest = ModelDigest.Of(bytes);
        if (!await container.GetBlobClient(ModelPaths.Blob(digest)).ExistsAsync(cancellationToken))
            await UploadAsync(ModelPaths.Blob(digest), bytes, cancellationToken);
        return await WriteAsync(name, new ModelManifest { Config = new(ModelManifest.ConfigMediaType, digest, bytes.Length), Layers = layers }, bytes, cancellationToken);
    }

    /// <summary>A manifest that says the same already is left as it is: its time of change is the model's.</summary>
    /// <returns>False: something that it refers to is not there any more.</returns>
    public Task<bool> WriteAsync(ModelName name, ModelManifest manifest, CancellationToken cancellationToken) => WriteAsync(name, manifest, config: null, cancellationToken);

    /// <param name="config">Put there again where it has just been collected; null: it is not at hand.</param>
    private async Task<bool> WriteAsync(ModelName name, ModelManifest manifest, byte[]? config, CancellationToken cancellationToken)
    {
        byte[] bytes = manifest.ToBytes();
        string path = ModelPaths.Manifest(name);
        if (await TryReadAsync(path, cancellationToken) is { } current && current.Span.SequenceEqual(bytes))
            return true;
        foreach (ModelLayer layer in manifest.Layers.Append(manifest.Config))
        {
            if (await TryClaimAsync(layer.Digest, cancellationToken))
                continue;
            if (config is null || layer != manifest.Config)
                return false;
            await UploadAsync(ModelPaths.Blob(layer.Digest), config, cancellationToken);
        }
        await UploadAsync(path, bytes, cancellationToken);
        return true;
    }

    /// <summary>
    /// Changes the blob's tag. What no manifest named so far may be marked for deletion; who deletes wants it with the tag that it was marked with, so it is kept from now on.
    /// False: it is gone already.
    /// </summary>
    private async Task<bool> TryClaimAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            await container.GetBlobClient(ModelPaths.Blob(digest)).SetMetadataAsync(new Dictionary<string, string>(), cancellationToken: cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return false;
        }
    }

    /// <summary>
    /// Whether there was one. It is looked for first: storage's client repeats a deletion whose answer was lost, and finds nothing then. What it referred to stays: other names may, and jobs
    /// may still run from it.
    /// </summary>
    public async Task<bool> DeleteAsync(ModelName name, CancellationToken cancellationToken)
    {
        BlobClient manifest = container.GetBlobClient(ModelPaths.Manifest(name));
        if (!await manifest.ExistsAsync(cancellationToken))
            return false;
        await manifest.DeleteIfExistsAsync(cancellationToken: cancellationToken);
        return true;
    }

    /// <summary>A small blob's content; null where it is not there.</summary>
    public Task<ReadOnlyMemory<byte>?> ReadBlobAsync(string digest, CancellationToken cancellationToken) => TryReadAsync(ModelPaths.Blob(digest), cancellationToken);

    private async Task<ReadOnlyMemory<byte>?> TryReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult result = await container.GetBlobClient(path).DownloadContentAsync(cancellationToken);
            return result.Content.ToMemory();
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound || e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            return null;
        }
    }

    private async Task UploadAsync(string path, byte[] bytes, CancellationToken cancellationToken) =>
        await container.GetBlobClient(path).UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, cancellationToken);
}

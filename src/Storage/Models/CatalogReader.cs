using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Takes snapshots of the catalogue: one List call, and two reads for each manifest that is not as it was in the snapshot before.
/// </summary>
internal sealed partial class CatalogReader(BlobContainerClient container, TimeProvider time, ILogger logger)
{
    private const int ParallelReads = 8;

    /// <summary>A read is shared by all who ask while it runs: a connection whose other end has gone must not hold them all, though new ones would be answered.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    public async Task<CatalogSnapshot> ReadAsync(CatalogSnapshot? previous, CancellationToken cancellationToken)
    {
        long takenAt = time.GetTimestamp();
        using CancellationTokenSource silence = new(Silence, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        try
        {
            ConcurrentDictionary<ModelName, CatalogEntry> entries = [];
            List<Listed> changed = [];
            foreach (Listed listed in await ListAsync(silence, either.Token))
            {
                if (previous?.FindEntry(listed.Name) is { } known && known.ETag == listed.ETag)
                    entries[listed.Name] = known;
                else
                    changed.Add(listed);
            }
            ParallelOptions options = new() { MaxDegreeOfParallelism = ParallelReads, CancellationToken = either.Token };
            await Parallel.ForEachAsync(changed, options, async (listed, token) =>
            {
                entries[listed.Name] = new CatalogEntry(listed.Name, listed.ETag, await ReadViewAsync(listed, token));
                silence.CancelAfter(Silence);
            });
            return new CatalogSnapshot(takenAt, entries);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CatalogException("the model catalogue in blob storage cannot be read: storage does not answer", e);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException("the model catalogue in blob storage cannot be read", e);
        }
    }

    private async Task<List<Listed>> ListAsync(CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        List<Listed> all = [];
        GetBlobsOptions options = new() { Prefix = ModelPaths.Manifests };
        try
        {
            await foreach (BlobItem blob in container.GetBlobsAsync(options, cancellationToken))
            {
                silence.CancelAfter(Silence);
                if (!ModelName.TryParseManifestPath(blob.Name[ModelPaths.Manifests.Length..], out ModelName? name))
                    LogNoName(blob.Name);
                else if (blob.Properties is { ETag: { } etag, LastModified: { } modified })
                    all.Add(new Listed(name, etag, modified));
            }
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            // Nothing has been published yet: publishing makes the container.
        }
        return all;
    }

    private async Task<ModelView?> ReadViewAsync(Listed listed, CancellationToken cancellationToken)
    {
        try
        {
            byte[] bytes = await DownloadAsync(ModelPaths.Manifest(listed.Name), cancellationToken);
            ModelManifest manifest = ModelManifest.Parse(bytes);
            ModelConfig config = ModelConfig.Parse(await DownloadAsync(ModelPaths.Blob(manifest.Config.Digest), cancellationToken));
            return config.ToView(listed.Name, ModelDigest.Hex(ModelDigest.Of(bytes)), manifest, listed.ModifiedAt);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            // Deleted since it was listed, or its config was.
            LogUnreadable(e, listed.Name);
            return null;
        }
        catch (Exception e) when (e is not (RequestFailedException or AggregateException or IOException or OperationCanceledException))
        {
            // Whatever is wrong with its manifest or config harms no other model.
            LogUnreadable(e, listed.Name);
            return null;
        }
    }

    private async Task<byte[]> DownloadAsync(string path, CancellationToken cancellationToken)
    {
        BlobDownloadResult result = await container.GetBlobClient(path).DownloadContentAsync(cancellationToken);
        return result.Content.ToArray();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Blob {Blob} lies where manifests are, but no model has that name; ignored")]
    private partial void LogNoName(string blob);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model} cannot be read and is left out until it is published again")]
    private partial void LogUnreadable(Exception exception, ModelName model);

    private sealed record Listed(ModelName Name, ETag ETag, DateTimeOffset ModifiedAt);
}

using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Downloads on their way: append blobs whose length is how far they are, so that whoever goes on later, on whatever edge, needs no other record.
/// Each belongs to one writer at a time.
/// </summary>
public sealed class StagedBlobs
{
    /// <summary>Bytes of the largest download: storage takes so many appends to one blob.</summary>
    public const long LargestSize = (long)ModelChunks.Most * ModelChunks.DefaultSize;

    private readonly BlobContainerClient _container;
    private readonly TimeProvider _time;

    public StagedBlobs(BlobServiceClient blobs, TimeProvider time)
        : this(blobs.GetBlobContainerClient(Containers.Models), time)
    {
    }

    /// <summary>In a container of one's own: tests share a storage account.</summary>
    internal StagedBlobs(BlobContainerClient container, TimeProvider time) => (_container, _time) = (container, time);

    /// <summary>Takes what is there, or begins it.</summary>
    /// <param name="key">What is downloaded: file name characters only, the same for the same content.</param>
    /// <param name="cancellationToken">Ends the taking.</param>
    /// <param name="isHashed">Whether what comes is hashed when it does, as its digest will be asked for (<see cref="StagedBlob.HashAsync"/>).</param>
    /// <returns>Null while somebody else has it. One who was killed has it for half a minute more.</returns>
    /// <exception cref="CatalogException">Storage cannot be written.</exception>
    public async Task<StagedBlob?> TryTakeAsync(string key, CancellationToken cancellationToken, bool isHashed = false)
    {
        AppendBlobClient blob = _container.GetAppendBlobClient(ModelPaths.Partial(key));
        try
        {
            await blob.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            BlobLeaseClient lease = blob.GetBlobLeaseClient();
            await lease.AcquireAsync(StagedBlob.LeaseTime, cancellationToken: cancellationToken);
            BlobProperties properties = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            return new StagedBlob(blob, lease, properties, isHashed, _time);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.LeaseAlreadyPresent
            || e.ErrorCode == BlobErrorCode.LeaseIdMissing || e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            // Not found: who had it has finished between the two calls, and taken it away.
            return null;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException("what is being downloaded cannot be kept in blob storage", e);
        }
    }

    /// <summary>How far somebody's download is; 0 where there is none.</summary>
    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    public async Task<long> LengthAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return (await _container.GetBlobClient(ModelPaths.Partial(key)).GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ContentLength;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return 0;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException("what is being downloaded cannot be looked for", e);
        }
    }
}

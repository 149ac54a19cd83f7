using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs;

namespace OllamaMax.Storage.Jobs;

/// <summary>Documents of tenants that are written once and last until a time that stands in their metadata, in the container <see cref="Containers.Jobs"/>.</summary>
/// <param name="account">Where.</param>
/// <param name="prefix">Before their ids (<see cref="JobId"/>).</param>
/// <param name="type">How they are written.</param>
internal sealed class LastingBlobs<T>(StorageAccount account, string prefix, JsonTypeInfo<T> type)
    where T : class
{
    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <returns>It, or the one of this id that is there: whoever gives an id once more means the same.</returns>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<T> CreateAsync(string id, T document, string tenant, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
            Metadata = BlobTerms.Write(tenant, expiresAt),
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(document, type);
        try
        {
            await Jobs.GetBlobClient(prefix + id).UploadAsync(new BinaryData(json), options, cancellationToken);
            return document;
        }
        catch (RequestFailedException e) when (e.Status == 409 && e.ErrorCode == BlobErrorCode.BlobAlreadyExists)
        {
            return await FindAsync(id, cancellationToken) ?? document;
        }
    }

    /// <summary>Null where there is none.</summary>
    public async Task<T?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.IsValid(id))
            return null;
        try
        {
            BlobDownloadResult blob = await Jobs.GetBlobClient(prefix + id).DownloadContentAsync(cancellationToken);
            return JsonSerializer.Deserialize(blob.Content, type);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    /// <summary>Ids, the oldest first.</summary>
    /// <param name="tenant">Whose; null: all.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    public async Task<IReadOnlyList<string>> ListAsync(string? tenant, CancellationToken cancellationToken)
    {
        List<string> ids = [];
        await foreach (var (id, metadata) in ListAsync(cancellationToken))
        {
            if (tenant is null || BlobTerms.TenantOf(metadata) == tenant)
                ids.Add(id);
        }
        return ids;
    }

    /// <summary>Ids of those whose time is over.</summary>
    public async IAsyncEnumerable<string> ListExpiredAsync(DateTimeOffset now, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (id, metadata) in ListAsync(cancellationToken))
        {
            if (BlobTerms.ExpiryOf(metadata) <= now)
                yield return id;
        }
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) => Jobs.DeleteBlobIfExistsAsync(prefix + id, cancellationToken: cancellationToken);

    private async IAsyncEnumerable<(string Id, IDictionary<string, string> Metadata)> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = prefix };
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(options, cancellationToken))
            yield return (blob.Name[prefix.Length..], blob.Metadata);
    }
}

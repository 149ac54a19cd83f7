using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>Batches in storage: <c>jobs/batches/{id}</c>, written once.</summary>
public sealed class BatchStore(StorageAccount account)
{
    private const string Batches = "batches/";
    private const string Tenant = "tenant";
    private const string Expires = "expires";

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    public async Task CreateAsync(BatchRecord record, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
            Metadata = new Dictionary<string, string>
            {
                [Tenant] = Uri.EscapeDataString(record.Tenant),
                [Expires] = record.ExpiresAt.ToString("O", CultureInfo.InvariantCulture),
            },
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.BatchRecord);
        await Jobs.GetBlobClient(Batches + record.Id).UploadAsync(new BinaryData(json), options, cancellationToken);
    }

    /// <summary>Null where there is none.</summary>
    public async Task<BatchRecord?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.IsValid(id))
            return null;
        try
        {
            BlobDownloadResult blob = await Jobs.GetBlobClient(Batches + id).DownloadContentAsync(cancellationToken);
            return JsonSerializer.Deserialize(blob.Content, ProtocolJson.Default.BatchRecord);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    /// <summary>Ids of a tenant's, the oldest first.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(string tenant, CancellationToken cancellationToken)
    {
        List<string> ids = [];
        await foreach (BlobItem blob in ListAsync(cancellationToken))
        {
            if (blob.Metadata.TryGetValue(Tenant, out string? whose) && Uri.UnescapeDataString(whose) == tenant)
                ids.Add(blob.Name[Batches.Length..]);
        }
        return ids;
    }

    /// <summary>Ids of those whose time is over.</summary>
    public async IAsyncEnumerable<string> ListExpiredAsync(DateTimeOffset now, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (BlobItem blob in ListAsync(cancellationToken))
        {
            if (blob.Metadata.TryGetValue(Expires, out string? text)
                && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset expires)
                && expires <= now)
                yield return blob.Name[Batches.Length..];
        }
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) => Jobs.DeleteBlobIfExistsAsync(Batches + id, cancellationToken: cancellationToken);

    private AsyncPageable<BlobItem> ListAsync(CancellationToken cancellationToken) =>
        Jobs.GetBlobsAsync(new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Batches }, cancellationToken);
}

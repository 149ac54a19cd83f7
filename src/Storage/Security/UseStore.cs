using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>What keys and tenants have used of their limits, shared by all edges: <c>keys/limits/{subject}</c>.</summary>
public sealed class UseStore(StorageAccount account)
{
    /// <param name="subject">Whose: any text.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Without ETag where nobody has written it yet.</returns>
    public async Task<StoredUse> ReadAsync(string subject, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult blob = await Blob(subject).DownloadContentAsync(cancellationToken);
            SharedUse use = JsonSerializer.Deserialize(blob.Content, SecurityJson.Default.SharedUse) ?? throw new InvalidDataException($"what {subject} has used is empty");
            return new(use, blob.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return new(SharedUse.Nothing, ETag: null);
        }
    }

    /// <summary>Null where somebody else has written it since: read it again and decide anew.</summary>
    public async Task<StoredUse?> WriteAsync(string subject, StoredUse old, SharedUse use, CancellationToken cancellationToken)
    {
        BlobUploadOptions options = new()
        {
            Conditions = old.ETag is { } etag ? new() { IfMatch = etag } : new() { IfNoneMatch = ETag.All },
        };
        try
        {
            BinaryData json = new(JsonSerializer.SerializeToUtf8Bytes(use, SecurityJson.Default.SharedUse));
            BlobContentInfo info = await Blob(subject).UploadAsync(json, options, cancellationToken);
            return new(use, info.ETag);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 409 or 412)
        {
            return null;
        }
    }

    private BlobClient Blob(string subject) => account.Blobs.GetBlobContainerClient(Containers.Keys).GetBlobClient($"limits/{Uri.EscapeDataString(subject)}");
}

/// <param name="ETag">What it was read with; null: it is not there.</param>
public sealed record StoredUse(SharedUse Use, ETag? ETag);

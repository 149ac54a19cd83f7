using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>What keys and tenants have used of their limits, shared by all edges: <c>keys/limits/{subject}</c>.</summary>
public sealed class UseStore(StorageAccount account)
{
    private const string Limits = "limits/";

    private BlobContainerClient Keys => account.Blobs.GetBlobContainerClient(Containers.Keys);

    /// <param name="subject">Whose: any text.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Without ETag where nobody has written it yet.</returns>
    public async Task<StoredUse> ReadAsync(string subject, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult blob = await Blob(subject).DownloadContentAsync(cancellationToken);
            SharedUse use = StoredJson.Read(blob.Content, $"what {subject} has used", SecurityJson.Default.SharedUse);
            return new(use, blob.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return new(SharedUse.Nothing, ETag: null);
        }
    }

    /// <summary>
    /// Null where somebody has written it since: read it again and decide anew. Storage's client repeats a write whose answer was lost, and is told then that somebody has been
    /// there: whoever finds their own write (<see cref="SharedUse.Writes"/>) has.
    /// </summary>
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

    /// <summary>Deletes what nobody has written since: of keys that are gone, and of users who do not come any more.</summary>
    /// <param name="since">So long ago that its month is over.</param>
    /// <param name="cancellationToken">Ends it between two requests.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task DeleteUnusedAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = Limits }, cancellationToken))
        {
            if (item.Properties.LastModified < since)
                await DeleteAsync(Keys.GetBlobClient(item.Name), item.Properties.ETag, cancellationToken);
        }
    }

    private static async Task DeleteAsync(BlobClient blob, ETag? unused, CancellationToken cancellationToken)
    {
        try
        {
            await blob.DeleteAsync(DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = unused }, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            // It is used just now.
        }
    }

    private BlobClient Blob(string subject) => Keys.GetBlobClient($"{Limits}{BlobNames.Segment(subject)}");
}

/// <param name="ETag">What it was read with; null: it is not there.</param>
public sealed record StoredUse(SharedUse Use, ETag? ETag);

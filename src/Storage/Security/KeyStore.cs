using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>Keys in storage: <c>keys/records/{id}</c>, and <c>keys/used/{id}</c>, whose date of writing is about when the key was used last.</summary>
public sealed class KeyStore(StorageAccount account)
{
    private const string Records = "records/";
    private const string Used = "used/";

    private BlobContainerClient Keys => account.Blobs.GetBlobContainerClient(Containers.Keys);

    /// <summary>Its own write, whose answer was lost, does not take the id (<see cref="WriteMark"/>).</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached; 409 where the id is taken.</exception>
    public async Task CreateAsync(KeyRecord record, CancellationToken cancellationToken)
    {
        BlobClient blob = Record(record.Id);
        BlobUploadOptions options = Marked(new() { IfNoneMatch = ETag.All });
        try
        {
            await blob.UploadAsync(Json(record), options, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status == 409)
        {
            if (await WriteMark.FindAsync(blob, options, cancellationToken) is null)
                throw;
        }
    }

    /// <summary>Puts it there, whatever stood under its id.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task PutAsync(KeyRecord record, CancellationToken cancellationToken) => Record(record.Id).UploadAsync(Json(record), overwrite: true, cancellationToken);

    /// <summary>Null where there is no such key (any more).</summary>
    /// <param name="id">As the client wrote it.</param>
    /// <param name="known">What was read before: it comes back as it is where nobody has changed it since.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<StoredKey?> FindAsync(string id, StoredKey? known, CancellationToken cancellationToken)
    {
        if (!ApiKey.IsId(id))
            return null;
        BlobDownloadOptions options = new() { Conditions = known is null ? null : new() { IfNoneMatch = known.ETag } };
        try
        {
            Response<BlobDownloadResult> blob = await Record(id).DownloadContentAsync(options, cancellationToken);
            if (blob.GetRawResponse().Status == 304)
                return known;
            KeyRecord record = JsonSerializer.Deserialize(blob.Value.Content, SecurityJson.Default.KeyRecord) ?? throw new InvalidDataException($"the record of key {id} is empty");
            return new(record, blob.Value.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 304)
        {
            return known;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Null where somebody else has changed or deleted it since: read it again and decide anew. Its own write, whose answer was lost, is none of others (<see cref="WriteMark"/>).</summary>
    public async Task<StoredKey?> ReplaceAsync(StoredKey old, KeyRecord record, CancellationToken cancellationToken)
    {
        BlobClient blob = Record(record.Id);
        BlobUploadOptions options = Marked(new() { IfMatch = old.ETag });
        try
        {
            BlobContentInfo info = await blob.UploadAsync(Json(record), options, cancellationToken);
            return new(record, info.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            return await WriteMark.FindAsync(blob, options, cancellationToken) is { } mine ? new(record, mine) : null;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>False where there was none. It is looked for first: storage's client repeats a deletion whose answer was lost, and finds nothing then.</summary>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellationToken)
    {
        if (!ApiKey.IsId(id) || !await Record(id).ExistsAsync(cancellationToken))
            return false;
        await Keys.GetBlobClient(Used + id).DeleteIfExistsAsync(cancellationToken: cancellationToken);
        await Record(id).DeleteIfExistsAsync(cancellationToken: cancellationToken);
        return true;
    }

    public async Task<IReadOnlyList<KeyRecord>> ListAsync(CancellationToken cancellationToken)
    {
        List<KeyRecord> all = [];
        GetBlobsOptions options = new() { Prefix = Records };
        await foreach (BlobItem blob in Keys.GetBlobsAsync(options, cancellationToken))
        {
            // One that was deleted since is none.
            if (await FindAsync(blob.Name[Records.Length..], known: null, cancellationToken) is { } found)
                all.Add(found.Record);
        }
        return all;
    }

    /// <summary>Notes that the key was used about now.</summary>
    public Task MarkUsedAsync(string id, CancellationToken cancellationToken) =>
        Keys.GetBlobClient(Used + id).UploadAsync(BinaryData.Empty, overwrite: true, cancellationToken);

    /// <summary>When keys were used last, by id; those that never were are not among them.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> ListUsedAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, DateTimeOffset> all = [];
        GetBlobsOptions options = new() { Prefix = Used };
        await foreach (BlobItem blob in Keys.GetBlobsAsync(options, cancellationToken))
        {
            if (blob.Properties.LastModified is { } at)
                all[blob.Name[Used.Length..]] = at;
        }
        return all;
    }

    private static BlobUploadOptions Marked(BlobRequestConditions conditions)
    {
        BlobUploadOptions options = new() { Conditions = conditions, Metadata = new Dictionary<string, string>() };
        WriteMark.Put(options.Metadata);
        return options;
    }

    private static BinaryData Json(KeyRecord record) => new(JsonSerializer.SerializeToUtf8Bytes(record, SecurityJson.Default.KeyRecord));

    private BlobClient Record(string id) => Keys.GetBlobClient(Records + id);
}

/// <param name="ETag">What it was read with.</param>
public sealed record StoredKey(KeyRecord Record, ETag ETag);

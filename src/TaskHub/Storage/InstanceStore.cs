using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Storage;

/// <summary>
/// Orchestrations in storage: the documents <c>instances/{id}</c>, each changed only under the ETag it was read with. What a query needs stands in the
/// metadata as well, so that one call tells of many.
/// </summary>
internal sealed class InstanceStore(BlobContainerClient container)
{
    private const string Instances = "instances/";

    private readonly PayloadBlobs _payloads = new(container);

    /// <summary>Null where there is one of this id.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task<StoredInstance?> CreateAsync(InstanceRecord record, CancellationToken cancellationToken) =>
        WriteAsync(record, new BlobRequestConditions { IfNoneMatch = ETag.All }, cancellationToken);

    /// <summary>Null where somebody else has changed or deleted it since: read it again and decide anew.</summary>
    public Task<StoredInstance?> ReplaceAsync(StoredInstance old, InstanceRecord record, CancellationToken cancellationToken) =>
        WriteAsync(record, new BlobRequestConditions { IfMatch = old.ETag }, cancellationToken);

    /// <summary>Null where there is none.</summary>
    public async Task<StoredInstance?> FindAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult blob = await Blob(id).DownloadContentAsync(cancellationToken);
            InstanceRecord record = JsonSerializer.Deserialize(blob.Content, InstanceJson.Default.InstanceRecord)
                ?? throw new InvalidDataException($"the document of orchestration {id} is empty");
            return new(await _payloads.FetchAsync(record, cancellationToken), blob.Details.ETag);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    /// <summary>Lets the record decide and writes it back, as often as others get in between. Null where there is none.</summary>
    public async Task<InstanceRecord?> UpdateAsync(string id, InstanceCommand command, TimeProvider time, CancellationToken cancellationToken)
    {
        while (await FindAsync(id, cancellationToken) is { } found)
        {
            InstanceRecord next = found.Record.Apply(command, time.GetUtcNow());
            if (ReferenceEquals(next, found.Record) || await ReplaceAsync(found, next, cancellationToken) is not null)
                return next;
        }
        return null;
    }

    /// <summary>
    /// False where somebody else has changed it since: it may have been begun anew under its id. The document first, as without its payloads nobody could read it.
    /// </summary>
    public async Task<bool> DeleteAsync(StoredInstance found, CancellationToken cancellationToken)
    {
        try
        {
            await Blob(found.Record.Id).DeleteAsync(DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = found.ETag }, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ConditionNotMet)
        {
            return false;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            // Somebody else's doing, or this one's, repeated as its answer was lost: then nobody else would delete the payloads.
        }
        await _payloads.DeleteAsync(found.Record.Id, cancellationToken);
        return true;
    }

    /// <summary>A page of what there is, by id.</summary>
    /// <param name="continuationToken">Of the page before; null: the first.</param>
    public async Task<Microsoft.DurableTask.Page<InstanceItem>> ListAsync(string prefix, string? continuationToken, int pageSize, CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Instances + Uri.EscapeDataString(prefix) };
        await foreach (Azure.Page<BlobItem> page in container.GetBlobsAsync(options, cancellationToken).AsPages(continuationToken, pageSize))
        {
            IEnumerable<InstanceItem?> items = page.Values.Select(blob => InstanceItem.Read(Uri.UnescapeDataString(blob.Name[Instances.Length..]), blob));
            return new([.. items.OfType<InstanceItem>()], page.ContinuationToken is { Length: > 0 } next ? next : null);
        }
        return new([]);
    }

    private async Task<StoredInstance?> WriteAsync(InstanceRecord record, BlobRequestConditions conditions, CancellationToken cancellationToken)
    {
        record = await _payloads.PutAsideAsync(record, cancellationToken);
        var options = new BlobUploadOptions { Conditions = conditions, Metadata = InstanceItem.Metadata(record) };
        try
        {
            var content = new BinaryData(JsonSerializer.SerializeToUtf8Bytes(record, InstanceJson.Default.InstanceRecord));
            BlobContentInfo info = await Blob(record.Id).UploadAsync(content, options, cancellationToken);
            return new(record, info.ETag);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.ConditionNotMet
            || e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    private BlobClient Blob(string id) => container.GetBlobClient(Instances + Uri.EscapeDataString(id));
}

/// <param name="ETag">What it was read with.</param>
internal sealed record StoredInstance(InstanceRecord Record, ETag ETag);

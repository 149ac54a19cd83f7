using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// Background jobs in storage: the records <c>jobs/records/{id}</c>, each changed only under the ETag it was read with, and the outputs
/// <c>jobs/output/{id}</c>. What a list needs stands in a record's metadata as well, so that one call tells of all. Where there is a key, prompt and answer are encrypted: a record that has got one
/// keeps it, so that its output has one key.
/// </summary>
public sealed class JobRecordStore(StorageAccount account, ContentKeys keys)
{
    private const string ContentPlace = "record";

    internal const string Records = "records/";
    internal const string Outputs = "output/";

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <param name="record">A job that there is none of yet.</param>
    /// <param name="dueAt">When somebody should look at it (<see cref="JobRecord.DueAt"/>).</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="RequestFailedException">There is one of this id, or storage cannot be reached.</exception>
    public async Task<StoredRecord> CreateAsync(JobRecord record, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        record = Keyed(record);
        BlobClient blob = Record(record.Id);
        var options = Options(record, dueAt, new BlobRequestConditions { IfNoneMatch = ETag.All });
        try
        {
            BlobContentInfo info = await blob.UploadAsync(Json(record), options, cancellationToken);
            return new StoredRecord(record, info.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 409)
        {
            if (await WriteMark.FindAsync(blob, options, cancellationToken) is { } mine)
                return new StoredRecord(record, mine);
            throw;
        }
    }

    /// <summary>Null where there is no such job. Where its key is missing the record is there all the same (<see cref="JobRecord.Readable"/>).</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of a newer version.</exception>
    public async Task<StoredRecord?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.IsValid(id))
            return null;
        try
        {
            BlobDownloadResult blob = await Record(id).DownloadContentAsync(cancellationToken);
            JobRecord record = JsonSerializer.Deserialize(blob.Content, ProtocolJson.Default.JobRecord)
                ?? throw new InvalidDataException($"the record of job {id} is empty");
            return new StoredRecord(Opened(record), blob.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"the record of job {id} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// The record as it is now; null where somebody else has changed or deleted it since: read it again and decide anew. Its own write, whose answer was lost, is none of others
    /// (<see cref="WriteMark"/>).
    /// </summary>
    public async Task<StoredRecord?> ReplaceAsync(StoredRecord old, JobRecord record, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        record = Keyed(record);
        BlobClient blob = Record(record.Id);
        var options = Options(record, dueAt, new BlobRequestConditions { IfMatch = old.ETag });
        try
        {
            BlobContentInfo info = await blob.UploadAsync(Json(record), options, cancellationToken);
            return new StoredRecord(record, info.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            return await WriteMark.FindAsync(blob, options, cancellationToken) is { } mine ? new StoredRecord(record, mine) : null;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Deletes output and record, the record last: what is left half deleted can still be found.</summary>
    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await Output(id).DeleteIfExistsAsync(cancellationToken);
        await Record(id).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);
    }

    /// <summary>All jobs, the oldest first.</summary>
    public async IAsyncEnumerable<RecordItem> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Records };
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(options, cancellationToken))
        {
            if (RecordItem.Read(blob.Name[Records.Length..], blob.Metadata) is { } item)
                yield return item;
        }
    }

    public JobOutputBlob Output(string id) => new(OutputClient(id), key => keys.Find(key, ContentKind.Job, id));

    /// <summary>The output's address with leave to read and to append, not to create: what was deleted stays deleted.</summary>
    public async ValueTask<string> OutputUrlAsync(string id, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        (await account.Signer.SignAsync(OutputClient(id), BlobSasPermissions.Read | BlobSasPermissions.Add, expiresAt, cancellationToken)).ToString();

    private JobRecord Keyed(JobRecord record) =>
        record.SealedWith is null && (record.Job is not null || record.Response is not null) ? record with { SealedWith = keys.Current } : record;

    private BinaryData Json(JobRecord record)
    {
        if (record.SealedWith is { } key && (record.Job is not null || record.Response is not null))
        {
            byte[] content = JsonSerializer.SerializeToUtf8Bytes(new JobContent(record.Job, record.Response), ProtocolJson.Default.JobContent);
            record = record with { Job = null, Response = null, Sealed = keys.Of(key, ContentKind.Job, record.Id).Seal(ContentPlace, content) };
        }
        return new(JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.JobRecord));
    }

    /// <summary>With a key that is missing it stays as it is: what needs no content, such as its end and its deletion, goes on.</summary>
    private JobRecord Opened(JobRecord record)
    {
        if (record is not { SealedWith: { } key, Sealed: { } sealedBytes } || keys.Find(key, ContentKind.Job, record.Id) is not { } seal)
            return record;
        JobContent content = seal.Open(ContentPlace, sealedBytes) is { } plain && JsonSerializer.Deserialize(plain, ProtocolJson.Default.JobContent) is { } opened
            ? opened
            : throw new InvalidDataException($"the record of job {record.Id} does not open with content key '{key}': it is damaged, or another's");
        return record with { Job = content.Job, Response = content.Response, Sealed = null };
    }

    private static BlobUploadOptions Options(JobRecord record, DateTimeOffset dueAt, BlobRequestConditions conditions)
    {
        var metadata = RecordItem.Of(record, dueAt).Write();
        WriteMark.Put(metadata);
        return new() { Conditions = conditions, Metadata = metadata };
    }

    private BlobClient Record(string id) => Jobs.GetBlobClient(Records + id);

    private AppendBlobClient OutputClient(string id) => Jobs.GetAppendBlobClient(Outputs + id);
}

/// <param name="ETag">What it was read with.</param>
public sealed record StoredRecord(JobRecord Record, ETag ETag);

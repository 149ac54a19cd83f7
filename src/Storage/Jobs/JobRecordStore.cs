using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// Background jobs in storage: the records <c>jobs/records/{id}</c>, each changed only under the ETag it was read with, and the outputs
/// <c>jobs/output/{id}</c>. What a list needs stands in a record's metadata as well, so that one call tells of all.
/// </summary>
public sealed class JobRecordStore(StorageAccount account)
{
    internal const string Records = "records/";
    internal const string Outputs = "output/";

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <param name="dueAt">When somebody should look at it (<see cref="JobRecord.DueAt"/>).</param>
    public async Task<StoredRecord> CreateAsync(JobRecord record, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        var options = Options(record, dueAt, new BlobRequestConditions { IfNoneMatch = ETag.All });
        BlobContentInfo info = await Record(record.Id).UploadAsync(Json(record), options, cancellationToken);
        return new StoredRecord(record, info.ETag);
    }

    /// <summary>Null where there is no such job.</summary>
    public async Task<StoredRecord?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.IsValid(id))
            return null;
        try
        {
            BlobDownloadResult blob = await Record(id).DownloadContentAsync(cancellationToken);
            JobRecord record = JsonSerializer.Deserialize(blob.Content, ProtocolJson.Default.JobRecord)
                ?? throw new InvalidDataException($"the record of job {id} is empty");
            return new StoredRecord(record, blob.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Null where somebody else has changed or deleted it since: read it again and decide anew.</summary>
    public async Task<StoredRecord?> ReplaceAsync(StoredRecord old, JobRecord record, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        try
        {
            var options = Options(record, dueAt, new BlobRequestConditions { IfMatch = old.ETag });
            BlobContentInfo info = await Record(record.Id).UploadAsync(Json(record), options, cancellationToken);
            return new StoredRecord(record, info.ETag);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
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

    public JobOutputBlob Output(string id) => new(OutputClient(id));

    /// <summary>The output's address with leave to read and to append, not to create: what was deleted stays deleted.</summary>
    public async ValueTask<string> OutputUrlAsync(string id, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        (await account.Signer.SignAsync(OutputClient(id), BlobSasPermissions.Read | BlobSasPermissions.Add, expiresAt, cancellationToken)).ToString();

    private static BinaryData Json(JobRecord record) => new(JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.JobRecord));

    private static BlobUploadOptions Options(JobRecord record, DateTimeOffset dueAt, BlobRequestConditions conditions) => new()
    {
        Conditions = conditions,
        Metadata = RecordItem.Of(record, dueAt).Write(),
    };

    private BlobClient Record(string id) => Jobs.GetBlobClient(Records + id);

    private AppendBlobClient OutputClient(string id) => Jobs.GetAppendBlobClient(Outputs + id);
}

/// <param name="ETag">What it was read with.</param>
public sealed record StoredRecord(JobRecord Record, ETag ETag);

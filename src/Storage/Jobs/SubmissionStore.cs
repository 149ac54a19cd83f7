using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs.Records;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>What was submitted under keys of clients: <c>jobs/submissions/{name}</c>, each changed only under the ETag it was read with.</summary>
public sealed class SubmissionStore(StorageAccount account)
{
    private const string Submissions = "submissions/";

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <summary>Null where there is one of this name.</summary>
    /// <param name="name">Of tenant and key: letters and digits.</param>
    /// <param name="submission">What to write.</param>
    /// <param name="tenant">Whose.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task<StoredSubmission?> CreateAsync(string name, KeyedSubmission submission, string tenant, CancellationToken cancellationToken) =>
        WriteAsync(name, submission, tenant, new() { IfNoneMatch = ETag.All }, cancellationToken);

    /// <summary>Null where somebody else has changed or deleted it since.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task<StoredSubmission?> ReplaceAsync(StoredSubmission old, KeyedSubmission submission, CancellationToken cancellationToken) =>
        WriteAsync(old.Name, submission, old.Tenant, new() { IfMatch = old.ETag }, cancellationToken);

    /// <summary>Null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public async Task<StoredSubmission?> FindAsync(string name, string tenant, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult found = await Blob(name).DownloadContentAsync(cancellationToken);
            KeyedSubmission submission = JsonSerializer.Deserialize(found.Content, ProtocolJson.Default.KeyedSubmission)
                ?? throw new InvalidDataException($"the submission {name} is empty");
            return new(name, tenant, submission, found.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"the submission {name} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// Notes that it was taken on, where nobody has: before the job that came of it may be deleted. Nothing where its time is over, though its key may be another job's by now, or where it
    /// cannot be read.
    /// </summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task NoteTakenAsync(string name, string jobId, string tenant, CancellationToken cancellationToken)
    {
        try
        {
            while (await FindAsync(name, tenant, cancellationToken) is { Submission.IsTaken: false } found && found.Submission.JobId == jobId
                && await ReplaceAsync(found, found.Submission with { IsTaken = true }, cancellationToken) is null)
            {
            }
        }
        catch (InvalidDataException)
        {
            // Whoever sends its key again is told so; the job's end is not to hang on it.
        }
    }

    /// <summary>Nothing where somebody else has changed it since.</summary>
    public Task DeleteAsync(StoredSubmission submission, CancellationToken cancellationToken) => DeleteAsync(submission.Name, submission.ETag, cancellationToken);

    /// <inheritdoc cref="DeleteAsync(StoredSubmission, CancellationToken)"/>
    public async Task DeleteAsync(string name, ETag etag, CancellationToken cancellationToken)
    {
        try
        {
            await Blob(name).DeleteIfExistsAsync(DeleteSnapshotsOption.None, new() { IfMatch = etag }, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        Blob(name).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);

    /// <summary>Names of a tenant's.</summary>
    public IAsyncEnumerable<string> ListAsync(string tenant, CancellationToken cancellationToken) =>
        ListAsync(metadata => BlobTerms.TenantOf(metadata) == tenant, cancellationToken).Select(found => found.Name);

    /// <summary>Those whose time is over: their keys may be used anew meanwhile.</summary>
    public IAsyncEnumerable<(string Name, ETag ETag)> ListExpiredAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        ListAsync(metadata => BlobTerms.ExpiryOf(metadata) <= now, cancellationToken);

    private async IAsyncEnumerable<(string Name, ETag ETag)> ListAsync(Func<IDictionary<string, string>, bool> isWanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Submissions };
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(options, cancellationToken))
        {
            if (isWanted(blob.Metadata))
                yield return (blob.Name[Submissions.Length..], blob.Properties.ETag!.Value);
        }
    }

    private async Task<StoredSubmission?> WriteAsync(
        string name, KeyedSubmission submission, string tenant, BlobRequestConditions conditions, CancellationToken cancellationToken)
    {
        Dictionary<string, string> metadata = BlobTerms.Write(tenant, submission.ExpiresAt);
        WriteMark.Put(metadata);
        BlobUploadOptions options = new() { Conditions = conditions, Metadata = metadata };
        BinaryData json = new(JsonSerializer.SerializeToUtf8Bytes(submission, ProtocolJson.Default.KeyedSubmission));
        try
        {
            BlobContentInfo written = await Blob(name).UploadAsync(json, options, cancellationToken);
            return new(name, tenant, submission, written.ETag);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412)
        {
            return await WriteMark.FindAsync(Blob(name), options, cancellationToken) is { } mine ? new(name, tenant, submission, mine) : null;
        }
    }

    private BlobClient Blob(string name) => Jobs.GetBlobClient(Submissions + name);
}

/// <param name="ETag">What it was read with.</param>
public sealed record StoredSubmission(string Name, string Tenant, KeyedSubmission Submission, ETag ETag);

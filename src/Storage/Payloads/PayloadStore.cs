using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using OllamaMax.Jobs;

namespace OllamaMax.Storage.Payloads;

/// <summary>Jobs that are too large for a SignalR message, each a blob that its worker reads by a signed URL.</summary>
public sealed class PayloadStore(StorageAccount account, TimeProvider time)
{
    internal const string Prefix = "payloads/";

    /// <summary>Puts a job away and answers where it can be read until its deadline.</summary>
    /// <param name="content">What is to lie there for the job, in the place of what lay there before.</param>
    public async Task<string> PutAsync(Job job, byte[] content, CancellationToken cancellationToken)
    {
        BlobClient blob = Blob(job.Id);
        await blob.UploadAsync(new BinaryData(content), overwrite: true, cancellationToken);
        DateTimeOffset expiresAt = time.GetUtcNow() + job.Deadline + TimeSpan.FromMinutes(1);
        return (await account.Signer.SignAsync(blob, BlobSasPermissions.Read, expiresAt, cancellationToken)).ToString();
    }

    public Task DeleteAsync(string jobId, CancellationToken cancellationToken) =>
        Blob(jobId).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);

    private BlobClient Blob(string jobId) => account.Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobClient(Prefix + jobId);
}

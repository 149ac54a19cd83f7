using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using OllamaMax.Workers;

namespace OllamaMax.Storage.Workers;

/// <summary>Signs the addresses that a worker may use; each allows one thing for a short while.</summary>
public sealed class StorageCapabilities(StorageAccount account)
{
    /// <summary>To write the worker's own heartbeat, to read it, which tells whether it is the last one that wrote, and nothing else.</summary>
    /// <exception cref="ArgumentException">The id is none (<see cref="WorkerId"/>).</exception>
    public async ValueTask<string> HeartbeatUrlAsync(string workerId, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        BlobClient heartbeat = account.Blobs.GetBlobContainerClient(Containers.Cluster).GetBlobClient(Heartbeats.Prefix + WorkerId.Checked(workerId));
        return (await account.Signer.SignAsync(heartbeat, BlobSasPermissions.Create | BlobSasPermissions.Write | BlobSasPermissions.Read, expiresAt, cancellationToken)).ToString();
    }

    /// <summary>To read models.</summary>
    public async ValueTask<string> ModelsUrlAsync(DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        BlobContainerClient models = account.Blobs.GetBlobContainerClient(Containers.Models);
        return (await account.Signer.SignAsync(models, BlobContainerSasPermissions.Read, expiresAt, cancellationToken)).ToString();
    }
}

using Azure.Storage.Sas;

namespace OllamaMax.Storage.Workers;

/// <summary>Signs the addresses that a worker may use; each allows one thing for a short while.</summary>
public sealed class StorageCapabilities(StorageAccount account)
{
    /// <summary>To write the worker's own heartbeat, and nothing else.</summary>
    public string HeartbeatUrl(string workerId, DateTimeOffset expiresAt) => account.Blobs
        .GetBlobContainerClient(Containers.Cluster)
        .GetBlobClient(Heartbeats.Prefix + workerId)
        .GenerateSasUri(BlobSasPermissions.Create | BlobSasPermissions.Write, expiresAt)
        .ToString();

    /// <summary>To read models.</summary>
    public string ModelsUrl(DateTimeOffset expiresAt) => account.Blobs
        .GetBlobContainerClient(Containers.Models)
        .GenerateSasUri(BlobContainerSasPermissions.Read, expiresAt)
        .ToString();
}

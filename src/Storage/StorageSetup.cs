namespace OllamaMax.Storage;

public static class StorageSetup
{
    /// <summary>Makes the containers where they are missing. Queues are made when first used.</summary>
    public static Task CreateContainersAsync(this StorageAccount account, CancellationToken cancellationToken) =>
        Task.WhenAll(Containers.All.Select(name =>
            account.Blobs.GetBlobContainerClient(name).CreateIfNotExistsAsync(cancellationToken: cancellationToken)));
}

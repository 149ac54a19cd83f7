using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Leases;

namespace OllamaMax.Storage.Cluster;

/// <summary>The container of what the leader owns, and what all calls to it have in common.</summary>
internal static class ClusterStorage
{
    /// <summary>Makes the container where it is missing, and says of what storage refuses what was tried.</summary>
    /// <param name="container">The container.</param>
    /// <param name="what">What is done: "cluster/state cannot be read".</param>
    /// <param name="call">Its outcomes are values; anything else is thrown.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    public static async Task<T> CallAsync<T>(BlobContainerClient container, string what, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await call();
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
                return await call();
            }
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new StoreException($"{container.Name}/{what}", e);
        }
    }
}

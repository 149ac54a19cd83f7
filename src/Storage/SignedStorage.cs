using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Queues;

namespace OllamaMax.Storage;

/// <summary>Storage as a worker has it, by signed addresses alone. What it asks is counted as it is billed.</summary>
public sealed class SignedStorage
{
    private readonly BlobClientOptions _blobs = new();
    private readonly BlobClientOptions _once = new() { Retry = { MaxRetries = 0 } };
    private readonly QueueClientOptions _queues = new();

    public SignedStorage()
    {
        _blobs.AddPolicy(Operations.Blobs, HttpPipelinePosition.PerRetry);
        _once.AddPolicy(Operations.Blobs, HttpPipelinePosition.PerRetry);
        _queues.AddPolicy(Operations.Queues, HttpPipelinePosition.PerRetry);
    }

    /// <summary>What was asked so far.</summary>
    public StorageOperations Operations { get; } = new();

    public BlobClient Blob(string address) => new(new Uri(address), _blobs);

    public AppendBlobClient AppendBlob(string address) => new(new Uri(address), _blobs);

    /// <summary>Each request is tried once: for who waits between tries by itself.</summary>
    public BlobContainerClient ContainerTriedOnce(Uri address) => new(address, _once);

    public QueueClient Queue(string address) => new(new Uri(address), _queues);
}

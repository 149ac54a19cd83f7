using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;

namespace OllamaMax.Storage;

/// <summary>
/// The one storage account of a cluster: blobs hold what must last, queues what must be done.
/// </summary>
public sealed class StorageAccount
{
    /// <param name="connectionString">A connection string with key (also <c>UseDevelopmentStorage=true</c>), or an https address of the
    /// account's blob service, which is then entered by managed identity.</param>
    /// <param name="key">With an address: the account's key, base64. Queues are entered with it, as nothing else signs their addresses.</param>
    /// <exception cref="ArgumentException">It is neither, or an address without a key.</exception>
    public StorageAccount(string connectionString, string? key = null)
    {
        BlobClientOptions blobOptions = new();
        blobOptions.AddPolicy(Operations.Blobs, HttpPipelinePosition.PerRetry);
        QueueClientOptions queueOptions = new();
        queueOptions.AddPolicy(Operations.Queues, HttpPipelinePosition.PerRetry);
        try
        {
            if (Uri.TryCreate(connectionString, UriKind.Absolute, out Uri? blobs) && blobs.Scheme == Uri.UriSchemeHttps)
            {
                if (string.IsNullOrEmpty(key))
                    throw new ArgumentException("an address needs the account's key as well: queues' addresses can be signed with nothing else");
                Blobs = new BlobServiceClient(blobs, new DefaultAzureCredential(), blobOptions);
                Queues = new QueueServiceClient(
                    new UriBuilder(blobs) { Host = blobs.Host.Replace(".blob.", ".queue.", StringComparison.Ordinal) }.Uri,
                    new StorageSharedKeyCredential(new BlobUriBuilder(blobs).AccountName, key),
                    queueOptions);
            }
            else
            {
                Blobs = new BlobServiceClient(connectionString, blobOptions);
                Queues = new QueueServiceClient(connectionString, queueOptions);
            }
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new ArgumentException($"the storage connection is neither a connection string nor an https address with a key ({e.Message})", nameof(connectionString), e);
        }
        Signer = new(Blobs);
    }

    public BlobServiceClient Blobs { get; }

    public QueueServiceClient Queues { get; }

    public BlobSigner Signer { get; }

    /// <summary>What this process has asked of it so far.</summary>
    public StorageOperations Operations { get; } = new();
}

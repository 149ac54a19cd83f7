using Azure.Core;
using Azure.Identity;
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
    /// <exception cref="ArgumentException">It is neither.</exception>
    public StorageAccount(string connectionString)
    {
        try
        {
            if (Uri.TryCreate(connectionString, UriKind.Absolute, out Uri? blobs) && blobs.Scheme == Uri.UriSchemeHttps)
            {
                TokenCredential identity = new DefaultAzureCredential();
                Blobs = new BlobServiceClient(blobs, identity);
                Queues = new QueueServiceClient(new UriBuilder(blobs) { Host = blobs.Host.Replace(".blob.", ".queue.", StringComparison.Ordinal) }.Uri, identity);
            }
            else
            {
                Blobs = new BlobServiceClient(connectionString);
                Queues = new QueueServiceClient(connectionString);
            }
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new ArgumentException($"the storage connection is neither a connection string nor an https address ({e.Message})", nameof(connectionString), e);
        }
    }

    public BlobServiceClient Blobs { get; }

    public QueueServiceClient Queues { get; }
}

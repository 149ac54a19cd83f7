using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Cluster;

namespace OllamaMax.Storage.Cluster;

/// <summary>The cluster's documents as blobs, <c>cluster/{name}</c>; their tags are ETags.</summary>
public sealed class BlobDocuments : IDocumentStore
{
    private readonly BlobContainerClient _container;

    public BlobDocuments(StorageAccount account)
        : this(account.Blobs.GetBlobContainerClient(Containers.Cluster))
    {
    }

    /// <summary>In a container of one's own: tests share a storage account.</summary>
    internal BlobDocuments(BlobContainerClient container) => _container = container;

    public Task<StoredDocument?> ReadAsync(string name, StoredDocument? known, CancellationToken cancellationToken) => CallAsync(name, "read", async () =>
    {
        BlobDownloadOptions options = new();
        if (known is not null)
            options.Conditions = new() { IfNoneMatch = new ETag(known.Tag) };
        try
        {
            Response<BlobDownloadResult> answer = await _container.GetBlobClient(name).DownloadContentAsync(options, cancellationToken);
            return answer.GetRawResponse().Status == 304
                ? known
                : new StoredDocument(answer.Value.Details.ETag.ToString(), answer.Value.Content.ToMemory());
        }
        catch (RequestFailedException e) when (e.Status == 304)
        {
            return known;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }, cancellationToken);

    public Task<StoredDocument?> WriteAsync(string name, ReadOnlyMemory<byte> content, StoredDocument? basis, CancellationToken cancellationToken) => CallAsync(name, "written", async () =>
    {
        BlobUploadOptions options = new()
        {
            Conditions = basis is null ? new() { IfNoneMatch = ETag.All } : new() { IfMatch = new ETag(basis.Tag) },
        };
        try
        {
            BlobContentInfo info = await _container.GetBlobClient(name).UploadAsync(new BinaryData(content), options, cancellationToken);
            return new StoredDocument(info.ETag.ToString(), content);
        }
        catch (RequestFailedException e) when (e.Status is 409 or 412 || e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }, cancellationToken);

    private Task<StoredDocument?> CallAsync(string name, string done, Func<Task<StoredDocument?>> call, CancellationToken cancellationToken) =>
        ClusterStorage.CallAsync(_container, $"{name} cannot be {done}", call, cancellationToken);
}

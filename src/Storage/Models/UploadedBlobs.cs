using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Content that clients write into storage themselves, because it is too large for an edge's front. What they wrote is theirs to change for as long as
/// their signature lasts, so it is copied where it becomes visible, and hashed on that way.
/// </summary>
public sealed class UploadedBlobs(BlobServiceClient storage, BlobSigner signer, ModelBlobs blobs)
{
    private readonly BlobContainerClient _container = storage.GetBlobContainerClient(Containers.Models);

    /// <summary>An address that takes the content (Put Blob, or Put Block and Put Block List), and says what of it is there; of nothing else.</summary>
    public ValueTask<Uri> UploadUrlAsync(string digest, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        signer.SignAsync(Blob(digest), BlobSasPermissions.Create | BlobSasPermissions.Write | BlobSasPermissions.Read, expiresAt, cancellationToken);

    /// <summary>Bytes that a client has written; null: none yet.</summary>
    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    public async Task<long?> FindAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            return (await Blob(digest).GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ContentLength;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"the upload of {digest} cannot be looked for", e);
        }
    }

    /// <summary>
    /// Makes what was written visible, if it is what it should be; what was written goes away in any case. One that was cancelled is gone on with by the next.
    /// </summary>
    /// <returns>As <see cref="ModelBlobs.UploadAsync"/>.</returns>
    /// <exception cref="CatalogException">Storage is to blame, or the content was changed meanwhile.</exception>
    public async Task<string?> CompleteAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            ETag version = (await Blob(digest).GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ETag;
            BlobOpenReadOptions options = new(allowModifications: false) { BufferSize = 4 << 20, Conditions = new() { IfMatch = version } };
            await using Stream content = await Blob(digest).OpenReadAsync(options, cancellationToken);
            string? actual = await blobs.PublishAsync(digest, new($"upload-{ModelDigest.FileName(digest)}", version.ToString()), content, cancellationToken);
            await Blob(digest).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);
            return actual;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"the upload of {digest} cannot be completed", e);
        }
    }

    private BlobClient Blob(string digest) => _container.GetBlobClient(ModelPaths.Upload(digest));
}

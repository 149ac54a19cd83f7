using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs;
using OllamaMax.Security;

namespace OllamaMax.Storage.Jobs;

/// <summary>Files of OpenAI's <c>/v1/files</c>: <c>jobs/files/{id}</c>, with what is known of them in the metadata. Encrypted piece by piece where there is a key (<see cref="SealedPieces"/>).</summary>
public sealed class FileStore(StorageAccount account, ContentKeys keys)
{
    private const string Files = "files/";

    private readonly ContentBlobs _contents = new(keys, ContentKind.File);

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <summary>Written once: of several that write under one id, the first one's is the file.</summary>
    public async Task PutAsync(StoredFile file, Stream content, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
            Metadata = new Dictionary<string, string>
            {
                ["tenant"] = Uri.EscapeDataString(file.Tenant),
                ["name"] = Uri.EscapeDataString(file.Name),
                ["purpose"] = file.Purpose,
                ["created"] = file.CreatedAt.ToString("O", CultureInfo.InvariantCulture),
            },
        };
        ContentSeal? seal = _contents.New(file.Id, options.Metadata);
        await using Stream? pieces = seal is null ? null : SealedPieces.Seal(content, seal);
        try
        {
            await Jobs.GetBlobClient(Files + file.Id).UploadAsync(pieces ?? content, options, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.ConditionNotMet)
        {
            // It stays as it is.
        }
    }

    /// <summary>Null where there is none, or it is another tenant's.</summary>
    public async Task<StoredFile?> FindAsync(string id, string tenant, CancellationToken cancellationToken)
    {
        if (!JobId.IsValid(id))
            return null;
        try
        {
            BlobProperties blob = await Jobs.GetBlobClient(Files + id).GetPropertiesAsync(cancellationToken: cancellationToken);
            return Read(id, blob.Metadata, blob.ContentLength) is { } file && file.Tenant == tenant ? file : null;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>Null where it is not there any more.</summary>
    /// <param name="file">As it was found.</param>
    /// <exception cref="ContentKeyException">It is there, and its key is not known here.</exception>
    public async Task<Stream?> OpenAsync(StoredFile file, CancellationToken cancellationToken)
    {
        ContentSeal? seal = file.SealedWith is { } key ? _contents.Of(key, file.Id) : null;
        try
        {
            Stream content = await Jobs.GetBlobClient(Files + file.Id).OpenReadAsync(new BlobOpenReadOptions(allowModifications: false), cancellationToken);
            return seal is null ? content : SealedPieces.Open(content, seal);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    /// <summary>The oldest first.</summary>
    /// <param name="tenant">Whose; null: all.</param>
    public async Task<IReadOnlyList<StoredFile>> ListAsync(string? tenant, CancellationToken cancellationToken)
    {
        List<StoredFile> files = [];
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Files };
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(options, cancellationToken))
        {
            if (Read(blob.Name[Files.Length..], blob.Metadata, blob.Properties.ContentLength ?? 0) is { } file && (tenant is null || file.Tenant == tenant))
                files.Add(file);
        }
        return files;
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) => Jobs.DeleteBlobIfExistsAsync(Files + id, cancellationToken: cancellationToken);

    /// <param name="length">Of the blob.</param>
    private static StoredFile? Read(string id, IDictionary<string, string> metadata, long length) =>
        metadata.TryGetValue("tenant", out string? tenant)
        && metadata.TryGetValue("name", out string? name)
        && metadata.TryGetValue("purpose", out string? purpose)
        && metadata.TryGetValue("created", out string? created)
        && DateTimeOffset.TryParseExact(created, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset createdAt)
            ? new(id, Uri.UnescapeDataString(tenant), Uri.UnescapeDataString(name), purpose, BytesOf(length, metadata), createdAt) { SealedWith = ContentBlobs.KeyOf(metadata) }
            : null;

    private static long BytesOf(long length, IDictionary<string, string> metadata) => ContentBlobs.KeyOf(metadata) is null ? length : SealedPieces.PlainLength(length);
}

/// <param name="Id">As a job's; clients see it behind <c>file-</c>.</param>
/// <param name="Purpose">batch or batch_output.</param>
public sealed record StoredFile(string Id, string Tenant, string Name, string Purpose, long Bytes, DateTimeOffset CreatedAt)
{
    /// <summary>Id of the content key that it is under; null: it lies there as it is.</summary>
    public string? SealedWith { get; init; }
}

using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs;

namespace OllamaMax.Storage.Jobs;

/// <summary>Files of OpenAI's <c>/v1/files</c>: <c>jobs/files/{id}</c>, with what is known of them in the metadata.</summary>
public sealed class FileStore(StorageAccount account)
{
    private const string Files = "files/";

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <summary>Written again under the same id it is the same file.</summary>
    public async Task PutAsync(StoredFile file, Stream content, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Metadata = new Dictionary<string, string>
            {
                ["tenant"] = Uri.EscapeDataString(file.Tenant),
                ["name"] = Uri.EscapeDataString(file.Name),
                ["purpose"] = file.Purpose,
                ["created"] = file.CreatedAt.ToString("O", CultureInfo.InvariantCulture),
            },
        };
        await Jobs.GetBlobClient(Files + file.Id).UploadAsync(content, options, cancellationToken);
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
    public async Task<Stream?> OpenAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return await Jobs.GetBlobClient(Files + id).OpenReadAsync(new BlobOpenReadOptions(allowModifications: false), cancellationToken);
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

    private static StoredFile? Read(string id, IDictionary<string, string> metadata, long bytes) =>
        metadata.TryGetValue("tenant", out string? tenant)
        && metadata.TryGetValue("name", out string? name)
        && metadata.TryGetValue("purpose", out string? purpose)
        && metadata.TryGetValue("created", out string? created)
        && DateTimeOffset.TryParseExact(created, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset createdAt)
            ? new(id, Uri.UnescapeDataString(tenant), Uri.UnescapeDataString(name), purpose, bytes, createdAt)
            : null;
}

/// <param name="Id">As a job's; clients see it behind <c>file-</c>.</param>
/// <param name="Purpose">batch or batch_output.</param>
public sealed record StoredFile(string Id, string Tenant, string Name, string Purpose, long Bytes, DateTimeOffset CreatedAt);

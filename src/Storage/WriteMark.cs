using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace OllamaMax.Storage;

/// <summary>
/// A blob's metadata says who wrote last: storage's client repeats a write whose answer was lost, and is told then that somebody has been there, who was itself. What is written does not
/// say it, as others may decide the very same.
/// </summary>
internal static class WriteMark
{
    private const string Key = "write";

    /// <param name="metadata">Of one write, which gets a mark of its own.</param>
    public static void Put(IDictionary<string, string> metadata) => metadata[Key] = Guid.NewGuid().ToString("n");

    /// <summary>What it was written with; null where the last write was not this one, or the blob is gone.</summary>
    public static async Task<ETag?> FindAsync(BlobClient blob, BlobUploadOptions written, CancellationToken cancellationToken)
    {
        try
        {
            BlobProperties found = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
            return found.Metadata.TryGetValue(Key, out string? mark) && mark == written.Metadata[Key] ? found.ETag : null;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }
}

using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Security;

namespace OllamaMax.Storage.Jobs;

/// <summary>Content in blobs of its own, encrypted where there is a key for what is new: a blob's metadata says with which it was, and one that says nothing is as it is.</summary>
/// <param name="keys">This edge's.</param>
/// <param name="kind">What all of them are.</param>
internal sealed class ContentBlobs(ContentKeys keys, ContentKind kind)
{
    private const string Key = "key";

    /// <summary>Id of the key that a blob is under; null: it is readable.</summary>
    public static string? KeyOf(IDictionary<string, string> metadata) => metadata.TryGetValue(Key, out string? key) ? key : null;

    /// <summary>For a blob that is written now, and said in its metadata; null: it is not sealed.</summary>
    public ContentSeal? New(string id, IDictionary<string, string> metadata)
    {
        ContentSeal? seal = keys.New(kind, id);
        if (seal is not null)
            metadata[Key] = seal.KeyId;
        return seal;
    }

    /// <exception cref="ContentKeyException">The key is not known here.</exception>
    public ContentSeal Of(string key, string id) => keys.Of(key, kind, id);

    /// <summary>Writes it, in the place of what was there.</summary>
    /// <param name="blob">Where.</param>
    /// <param name="id">Whose content it is.</param>
    /// <param name="place">Which part of it.</param>
    /// <param name="content">All of it.</param>
    /// <param name="metadata">What else a listing is to tell.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task PutAsync(BlobClient blob, string id, string place, BinaryData content, Dictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        if (New(id, metadata) is { } seal)
            content = new BinaryData(seal.Seal(place, content.ToMemory().Span));
        await blob.UploadAsync(content, new BlobUploadOptions { Metadata = metadata }, cancellationToken);
    }

    /// <param name="blob">Where.</param>
    /// <param name="id">Whose content it is.</param>
    /// <param name="place">Which part of it.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="RequestFailedException">There is none, or storage cannot be reached.</exception>
    /// <exception cref="ContentKeyException">It is there, and its key is not known here.</exception>
    /// <exception cref="InvalidDataException">It is not what was put there.</exception>
    public async Task<BinaryData> GetAsync(BlobClient blob, string id, string place, CancellationToken cancellationToken)
    {
        BlobDownloadResult found = await blob.DownloadContentAsync(cancellationToken);
        if (KeyOf(found.Details.Metadata) is not { } key)
            return found.Content;
        byte[] content = Of(key, id).Open(place, found.Content.ToMemory().Span)
            ?? throw new InvalidDataException($"{blob.Name} does not open with content key '{key}': it is damaged, or another's");
        return new BinaryData(content);
    }
}

using System.Security.Cryptography;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>The parts of a split GGUF that have been downloaded, all of them in their order.</summary>
public sealed class StagedParts(IReadOnlyList<StagedBlob> parts, ModelBlobs blobs)
{
    /// <summary>Makes what they are together a blob of the catalogue: the parts are read twice, for its digest and on its way.</summary>
    /// <returns>Its digest.</returns>
    /// <exception cref="ModelPublishException">They are no GGUFs, or do not belong together.</exception>
    /// <exception cref="CatalogException">Storage cannot be read or written.</exception>
    public async Task<string> PublishAsync(CancellationToken cancellationToken)
    {
        string digest = "";
        // The lease of each is renewed beside; after an outage that of the first says whether they are still ours.
        await parts[0].DoAsync(async () =>
        {
            await using Stream whole = await OpenAsync(cancellationToken);
            digest = ModelDigest.Format(await SHA256.HashDataAsync(whole, cancellationToken));
        }, cancellationToken);
        if (await blobs.FindAsync(digest, cancellationToken) is null)
        {
            await parts[0].DoAsync(async () =>
            {
                await using Stream whole = await OpenAsync(cancellationToken);
                if (await blobs.UploadFromAsync(digest, whole, cancellationToken) is { } other)
                    throw new CatalogException($"the parts gave {digest} first and {other} then: they were changed meanwhile");
            }, cancellationToken);
        }
        foreach (StagedBlob part in parts)
            await part.DeleteAsync(cancellationToken);
        return digest;
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await OpenedParts.OpenAsync(parts, part => part.OpenAsync(cancellationToken));
        }
        catch (GgufFormatException e)
        {
            throw new ModelPublishException($"the parts cannot be made one model: {e.Message}", e);
        }
    }
}

using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>The parts of a split GGUF that have been downloaded, all of them in their order.</summary>
public sealed class StagedParts(IReadOnlyList<StagedBlob> parts, ModelBlobs blobs)
{
    private PassSource? _source;

    /// <summary>Makes what they are together a blob of the catalogue: the parts are read twice, for its digest and on its way; what was cut short is gone on with.</summary>
    /// <returns>Its digest.</returns>
    /// <exception cref="ModelPublishException">They are no GGUFs, or do not belong together.</exception>
    /// <exception cref="CatalogException">Storage cannot be read or written.</exception>
    public async Task<string> PublishAsync(CancellationToken cancellationToken)
    {
        string digest = "";
        // The lease of each is renewed beside; after an outage that of the first says whether they are still ours.
        await parts[0].DoAsync(async () =>
        {
            PassSource source = _source = await SourceAsync(cancellationToken);
            await using Stream whole = await OpenAsync(cancellationToken);
            ModelChunks list = await blobs.DigestAsync(source, whole, cancellationToken);
            digest = list.Digest;
            if (await blobs.FindAsync(digest, cancellationToken) is not null || await blobs.WriteAsync(list, whole, cancellationToken))
                return;
            await blobs.ForgetAsync(source, cancellationToken);
            throw new CatalogException($"the parts of {digest} were changed meanwhile");
        }, cancellationToken);
        return digest;
    }

    /// <summary>Takes them away: they have become a blob of the catalogue, and whatever is made of it is there as well.</summary>
    /// <exception cref="CatalogException">Storage cannot be written.</exception>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        if (_source is { } source)
            await parts[0].DoAsync(() => blobs.ForgetAsync(source, cancellationToken), cancellationToken);
        foreach (StagedBlob part in parts)
            await part.DeleteAsync(cancellationToken);
    }

    private async Task<PassSource> SourceAsync(CancellationToken cancellationToken)
    {
        List<string> versions = [];
        foreach (StagedBlob part in parts)
            versions.Add(await part.VersionAsync(cancellationToken));
        return new($"{parts[0].Key}-parts", string.Join(' ', versions));
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

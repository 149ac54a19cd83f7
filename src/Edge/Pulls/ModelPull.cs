using OllamaMax.Edge.Templates;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>One pull from its first line to its last. All that is small comes first: what makes a model unusable is found before gigabytes are fetched.</summary>
internal sealed class ModelPull(RegistrySource registry, SplitRepository splits, BlobPull weights, ModelBlobs blobs, ModelCatalog catalog, TemplateCheck check)
{
    private readonly BlobConverter _converter = new(blobs);

    /// <exception cref="PullException">It cannot be pulled.</exception>
    /// <exception cref="ModelPublishException">What was pulled is no GGUF of a language model.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task RunAsync(PullRequest request, PullProgress progress, CancellationToken cancellationToken)
    {
        progress.Begin(new("pulling manifest"));
        Modelfile modelfile = Modelfile.None;
        string digest;
        IReadOnlyList<SourcePart> parts = [];
        ModelLayer[] adapters = [];
        ModelManifest? manifest = null;
        if (request.From is { } address)
            parts = SourcePart.Of(address);
        else
            (manifest, parts) = await FindAsync(request.Name, cancellationToken);
        if (manifest is null)
        {
            digest = await weights.PullAsync(parts, progress, cancellationToken);
        }
        else
        {
            modelfile = await registry.ReadModelfileAsync(request.Name, manifest, cancellationToken);
            adapters = [.. manifest.Layers.Where(layer => layer.MediaType == ModelLayer.Adapter)];
            foreach (ModelLayer layer in adapters.Prepend(manifest.Weights))
                await weights.PullAsync(registry.BlobAddress(request.Name, layer), layer, progress, cancellationToken);
            digest = adapters.Length == 0 ? manifest.Weights.Digest : await AddAsync(manifest.Weights, adapters, progress, cancellationToken);
        }
        progress.Begin(new("writing manifest"));
        if (!await catalog.CreateAsync(digest, request.Name, modelfile, cancellationToken, [.. adapters.Select(layer => layer.Digest)]))
            throw new PullException($"blob {digest} was deleted while it was made a model");
        if (await check.WarningAsync(request.Name, cancellationToken) is { } warning)
            progress.Begin(new(warning));
        progress.Begin(new("success"));
    }

    /// <returns>The digest of the weights with the adapters.</returns>
    private async Task<string> AddAsync(ModelLayer model, ModelLayer[] adapters, PullProgress progress, CancellationToken cancellationToken)
    {
        // Bytes are not counted: what is done of this is not kept when it is cut short.
        progress.Begin(new("adding adapter"));
        return await _converter.RunAsync(new([model.Digest], null, [.. adapters.Select(layer => layer.Digest)]), (_, _) => { }, cancellationToken);
    }

    /// <summary>A registry's manifest, or the parts of a model that the registry does not hand out because it is split.</summary>
    private async Task<(ModelManifest? Manifest, IReadOnlyList<SourcePart> Parts)> FindAsync(ModelName name, CancellationToken cancellationToken)
    {
        try
        {
            return (await registry.ReadManifestAsync(name, cancellationToken), []);
        }
        catch (PullException) when (SplitRepository.Has(name.Host))
        {
            IReadOnlyList<SourcePart> parts = await TryFindPartsAsync(name, cancellationToken);
            if (parts.Count == 0)
                throw;
            return (null, parts);
        }
    }

    /// <summary>Where there is no list either, the registry's own answer says more.</summary>
    private async Task<IReadOnlyList<SourcePart>> TryFindPartsAsync(ModelName name, CancellationToken cancellationToken)
    {
        try
        {
            return await splits.FindAsync(name, cancellationToken);
        }
        catch (PullException e) when (e.IsNotFound)
        {
            return [];
        }
    }
}

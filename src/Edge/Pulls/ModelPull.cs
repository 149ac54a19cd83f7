using OllamaMax.Edge.Templates;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>One pull from its first line to its last. All that is small comes first: what makes a model unusable is found before gigabytes are fetched.</summary>
internal sealed class ModelPull(RegistrySource registry, SplitRepository splits, BlobPull weights, ModelBlobs blobs, ModelCatalog catalog, TemplateCheck check)
{
    private readonly BlobConverter _converter = new(blobs);

    /// <param name="request">What is pulled.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="mayWrite">Asked when all but the name is there.</param>
    /// <param name="cancellationToken">Ends it; what is done stays for the next.</param>
    /// <returns>False: it was not to be written any more.</returns>
    /// <exception cref="PullException">It cannot be pulled.</exception>
    /// <exception cref="ModelPublishException">What was pulled is no GGUF of a language model.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<bool> RunAsync(PullRequest request, PullProgress progress, Func<CancellationToken, Task<bool>> mayWrite, CancellationToken cancellationToken)
    {
        progress.Begin(new("pulling manifest"));
        (ModelManifest? manifest, IReadOnlyList<SourcePart> parts) = request.From is { } address ? (null, SourcePart.Of(address)) : await FindAsync(request.Name, cancellationToken);
        bool isWritten = manifest is null
            ? await weights.PullAsync(parts, progress, async pulled => await WriteAsync(new(await TranslateAsync(pulled, progress, cancellationToken), Modelfile.None, [], null)), cancellationToken)
            : await WriteAsync(await PullAsync(request.Name, manifest, progress, cancellationToken));
        if (!isWritten)
            return false;
        if (await check.WarningAsync(request.Name, cancellationToken) is { } warning)
            progress.Begin(new(warning));
        progress.Begin(new(PullLine.Success));
        return true;

        async Task<bool> WriteAsync(Pulled pulled)
        {
            progress.Begin(new("writing manifest"));
            if (!await mayWrite(cancellationToken))
                return false;
            if (!await catalog.CreateAsync(pulled.Digest, request.Name, pulled.Modelfile, cancellationToken, pulled.Adapters, pulled.TranslatedFrom))
                throw new PullException($"blob {pulled.Digest} was deleted while it was made a model");
            return true;
        }
    }

    private async Task<Pulled> PullAsync(ModelName name, ModelManifest manifest, PullProgress progress, CancellationToken cancellationToken)
    {
        Modelfile modelfile = await registry.ReadModelfileAsync(name, manifest, cancellationToken);
        ModelLayer[] adapters = [.. manifest.Layers.Where(layer => layer.MediaType == ModelLayer.Adapter)];
        string digest = adapters.Length == 0
            ? await PullAsync(name, manifest.Weights, progress, cancellationToken)
            : await PullAsync(name, manifest.Weights, adapters, progress, cancellationToken);
        string? translatedFrom = adapters.Length == 0 && digest != manifest.Weights.Digest ? manifest.Weights.Digest : null;
        return new(digest, modelfile, [.. adapters.Select(layer => layer.Digest)], translatedFrom);
    }

    /// <returns>The digest of the weights, or of what llama.cpp has instead of them.</returns>
    private async Task<string> PullAsync(ModelName name, ModelLayer layer, PullProgress progress, CancellationToken cancellationToken)
    {
        // What was translated is not kept as it came: that a model was made of it, only the model says.
        if ((await catalog.ListAsync(cancellationToken)).FirstOrDefault(model => model.TranslatedFrom == layer.Digest) is { } known
            && await blobs.FindAsync(known.Weights, cancellationToken) is not null)
            return known.Weights;
        await weights.PullAsync(registry.BlobAddress(name, layer), layer, progress, cancellationToken);
        return await TranslateAsync(layer.Digest, progress, cancellationToken);
    }

    /// <returns>The digest of the weights with the adapters.</returns>
    private async Task<string> PullAsync(ModelName name, ModelLayer model, ModelLayer[] adapters, PullProgress progress, CancellationToken cancellationToken)
    {
        foreach (ModelLayer layer in adapters.Prepend(model))
            await weights.PullAsync(registry.BlobAddress(name, layer), layer, progress, cancellationToken);
        return await ConvertAsync("adding adapter", new([model.Digest], null, [.. adapters.Select(layer => layer.Digest)]), progress, cancellationToken);
    }

    /// <returns>The digest itself, where there is nothing to translate.</returns>
    private async Task<string> TranslateAsync(string digest, PullProgress progress, CancellationToken cancellationToken) =>
        await _converter.IsOllamasAsync(digest, cancellationToken)
            ? await ConvertAsync(BlobConversion.Translating, new([digest], null, []), progress, cancellationToken)
            : digest;

    private Task<string> ConvertAsync(string status, BlobConversion conversion, PullProgress progress, CancellationToken cancellationToken)
    {
        // Bytes are not counted: those of lines are what is fetched.
        progress.Begin(new(status));
        return _converter.RunAsync(conversion, (_, _) => { }, cancellationToken);
    }

    /// <summary>A registry's manifest, or the parts of a model that the registry does not hand out because it is split.</summary>
    private async Task<(ModelManifest? Manifest, IReadOnlyList<SourcePart> Parts)> FindAsync(ModelName name, CancellationToken cancellationToken)
    {
        try
        {
            return (await registry.ReadManifestAsync(name, cancellationToken), []);
        }
        catch (PullException e) when (!e.IsRefused && HuggingFace.Has(name.Host))
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

    /// <summary>All of a model but its name.</summary>
    /// <param name="Digest">Of the weights with the adapters.</param>
    /// <param name="Modelfile">What is said beside them.</param>
    /// <param name="Adapters">Digests of those that are in the weights.</param>
    /// <param name="TranslatedFrom">What the source has instead of the weights; null: the same.</param>
    private sealed record Pulled(string Digest, Modelfile Modelfile, IReadOnlyList<string> Adapters, string? TranslatedFrom);
}

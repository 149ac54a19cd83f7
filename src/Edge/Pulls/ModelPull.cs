using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>One pull from its first line to its last. All that is small comes first: what makes a model unusable is found before gigabytes are fetched.</summary>
internal sealed class ModelPull(RegistrySource registry, BlobPull weights, ModelCatalog catalog)
{
    /// <exception cref="PullException">It cannot be pulled.</exception>
    /// <exception cref="ModelPublishException">What was pulled is no GGUF of a language model.</exception>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task RunAsync(PullRequest request, PullProgress progress, CancellationToken cancellationToken)
    {
        progress.Begin(new("pulling manifest"));
        Modelfile modelfile = Modelfile.None;
        string digest;
        if (request.From is { } address)
        {
            digest = await weights.PullAsync(address, progress, cancellationToken);
        }
        else
        {
            ModelManifest manifest = await registry.ReadManifestAsync(request.Name, cancellationToken);
            modelfile = await registry.ReadModelfileAsync(request.Name, manifest, cancellationToken);
            await weights.PullAsync(registry.BlobAddress(request.Name, manifest.Weights), manifest.Weights, progress, cancellationToken);
            digest = manifest.Weights.Digest;
        }
        progress.Begin(new("writing manifest"));
        if (!await catalog.CreateAsync(digest, request.Name, modelfile, cancellationToken))
            throw new PullException($"blob {digest} was deleted while it was made a model");
        progress.Begin(new("success"));
    }
}

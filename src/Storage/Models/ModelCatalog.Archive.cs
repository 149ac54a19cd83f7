using System.Buffers;
using System.IO.Pipelines;
using Azure;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>Names and what they stand for, taken out and put back.</summary>
public sealed partial class ModelCatalog
{
    private const long MostArchivedBytes = 1 << 20;

    /// <summary>All names as they are now, and those that cannot be read.</summary>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<(IReadOnlyList<ArchivedModel> Models, IReadOnlyList<ModelName> Unreadable)> ArchiveAsync(CancellationToken cancellationToken)
    {
        CatalogSnapshot snapshot = await RefreshAfterNowAsync(cancellationToken);
        List<ArchivedModel> models = [];
        List<ModelName> unreadable = [.. snapshot.Unreadable];
        foreach (ModelView view in snapshot.Models)
        {
            try
            {
                // One that was deleted since is none.
                if (await _manifests.ReadAsync(view.Name, cancellationToken) is var (manifest, _))
                    models.Add(new(view.Name, manifest, await SmallBlobsAsync(manifest, cancellationToken)));
            }
            catch (FormatException)
            {
                unreadable.Add(view.Name);
            }
            catch (Exception e) when (e is RequestFailedException or AggregateException)
            {
                throw new CatalogException($"model '{view.Name}' cannot be read from blob storage", e);
            }
        }
        return (models, unreadable);
    }

    /// <summary>What the name stands for now; null where nothing has it, or it cannot be read.</summary>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<ModelManifest?> FindManifestAsync(ModelName name, CancellationToken cancellationToken)
    {
        if (await FindAsync(name, cancellationToken) is not { } view)
            return null;
        try
        {
            return await _manifests.ReadAsync(view.Name, cancellationToken) is var (manifest, _) ? manifest : null;
        }
        catch (FormatException)
        {
            return null;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new CatalogException($"model '{name}' cannot be read from blob storage", e);
        }
    }

    /// <summary>Puts a name onto what it stood for, where all of that is in storage: a name never stands for something that is not there.</summary>
    /// <param name="model">Its blobs are what their digests say.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What is missing; where nothing is, the name stands.</returns>
    /// <exception cref="CatalogException">Storage is to blame.</exception>
    public async Task<IReadOnlyList<ModelLayer>> RestoreAsync(ArchivedModel model, CancellationToken cancellationToken)
    {
        List<ModelLayer> missing = [];
        await ChangeAsync(model.Name, async stored =>
        {
            foreach (ArchivedBlob blob in model.Blobs)
            {
                if (await _blobs.FindAsync(blob.Digest, cancellationToken) is null
                    && await _blobs.UploadAsync(blob.Digest, PipeReader.Create(new ReadOnlySequence<byte>(blob.Content)), cancellationToken) is { } actual)
                    throw new FormatException($"its content {blob.Digest} is {actual}");
            }
            do
            {
                foreach (ModelLayer layer in model.Manifest.Layers.Append(model.Manifest.Config))
                {
                    if (await _blobs.FindAsync(layer.Digest, cancellationToken) is null)
                        missing.Add(layer);
                }
            }
            while (missing.Count == 0 && !await _manifests.WriteAsync(stored, model.Manifest, cancellationToken));
            return missing.Count == 0;
        }, cancellationToken);
        return missing;
    }

    private async Task<IReadOnlyList<ArchivedBlob>> SmallBlobsAsync(ModelManifest manifest, CancellationToken cancellationToken)
    {
        List<ArchivedBlob> blobs = [];
        foreach (ModelLayer layer in manifest.Layers.Append(manifest.Config).DistinctBy(layer => layer.Digest))
        {
            bool isWeights = layer.MediaType is ModelLayer.Model or ModelLayer.Adapter or ModelLayer.Projector;
            if (!isWeights && layer.Size <= MostArchivedBytes && await _manifests.ReadBlobAsync(layer.Digest, cancellationToken) is { } content)
                blobs.Add(new(layer.Digest, content));
        }
        return blobs;
    }
}

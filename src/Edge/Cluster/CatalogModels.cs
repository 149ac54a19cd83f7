using OllamaMax.Edge.Requests;
using OllamaMax.Models;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Cluster;

/// <summary>The catalogue, by the names that clients write.</summary>
internal sealed class CatalogModels(ModelCatalog catalog) : IModelSource
{
    public ValueTask<ModelView?> FindAsync(string name, CancellationToken cancellationToken) =>
        ModelName.TryParse(name, out ModelName? parsed, out _) ? catalog.FindAsync(parsed, cancellationToken) : new((ModelView?)null);

    public ValueTask<IReadOnlyList<ModelView>> ListAsync(CancellationToken cancellationToken) => catalog.ListAsync(cancellationToken);
}

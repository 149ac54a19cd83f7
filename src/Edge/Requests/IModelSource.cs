using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>The published models.</summary>
internal interface IModelSource
{
    /// <summary>Null where no such model is published, or <paramref name="name"/> is no name of a model.</summary>
    ValueTask<ModelView?> FindAsync(string name, CancellationToken cancellationToken);

    ValueTask<IReadOnlyList<ModelView>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Whether a worker is there that holds the model or can take it, and may have its jobs, as far as that is known now; asks nobody.</summary>
    /// <param name="tenant">Whose jobs; null: anybody's.</param>
    bool IsServed(ModelView model, string? tenant);
}

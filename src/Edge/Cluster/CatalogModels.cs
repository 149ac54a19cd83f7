using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Requests;
using OllamaMax.Models;
using OllamaMax.Placement;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Cluster;

/// <summary>
/// The catalogue, by the names that clients write: the published models, and those that workers forward to, for as long as one of these is there. Of one
/// name the published model wins.
/// </summary>
internal sealed partial class CatalogModels(
    ModelCatalog catalog, ClusterWatch watch, PlacementRules rules, StoragePatience storage, ILogger<CatalogModels> logger) : IModelSource
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);

    /// <summary>A name that nobody knows may have come just now: but it does not buy more than one look a second.</summary>
    private static readonly TimeSpan UnknownNameInterval = TimeSpan.FromSeconds(1);

    public async ValueTask<ModelView?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (!ModelName.TryParse(name, out ModelName? parsed, out _))
            return null;
        // Asked first where the name is known already: the catalogue would look into storage for one that it does not know.
        if (Find(watch.Current, parsed) is { } forwarded)
            return (await PublishedAsync(cancellationToken)).FirstOrDefault(model => model.Name == parsed) ?? forwarded;
        ModelView? published = await storage.WaitAsync(token => catalog.FindAsync(parsed, token).AsTask(), cancellationToken, StoragePatience.Long);
        return published ?? Find(await WorkersAsync(UnknownNameInterval, cancellationToken), parsed);
    }

    public async ValueTask<IReadOnlyList<ModelView>> ListAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<ModelView> published = await PublishedAsync(cancellationToken);
        HashSet<ModelName> names = [.. published.Select(model => model.Name)];
        IReadOnlyList<WorkerView> workers = await WorkersAsync(FreshFor, cancellationToken);
        return [.. published, .. Forwarded(workers).Where(model => !names.Contains(model.Name))];
    }

    public bool IsServed(ModelView model, string? tenant)
    {
        PlacementRule rule = rules.Of(model, tenant);
        return watch.Current.Any(worker => rule.Admits(worker) && TakenModels.CanTake(worker, model));
    }

    /// <summary>An edge that has just started reads all of the catalogue first.</summary>
    private Task<IReadOnlyList<ModelView>> PublishedAsync(CancellationToken cancellationToken) =>
        storage.WaitAsync(token => catalog.ListAsync(token).AsTask(), cancellationToken, StoragePatience.Long);

    private static ModelView? Find(IReadOnlyList<WorkerView> workers, ModelName name) => Forwarded(workers).FirstOrDefault(model => model.Name == name);

    /// <summary>
    /// Each name once. Where servers have different models under one name, the same one is taken at every edge; and of what its workers say of calls, what holds for all of them.
    /// Images are for those of them that take any (<see cref="PlacementRule.ImagesFor"/>).
    /// </summary>
    private static IEnumerable<ModelView> Forwarded(IReadOnlyList<WorkerView> workers) =>
        from worker in workers
        where worker.State != WorkerState.Gone
        from model in worker.Forwarded
        let name = ModelName.Parse(model.Name)
        group model by name into same
        let ordered = same.OrderBy(model => model.Digest, StringComparer.Ordinal).ThenBy(model => model.CanRequireCalls)
        let first = ordered.First()
        select (first with { TakesImages = same.Where(model => model.Digest == first.Digest).Max(model => model.TakesImages) }).ToView(same.Key);

    private async ValueTask<IReadOnlyList<WorkerView>> WorkersAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        try
        {
            return await storage.WaitAsync(token => watch.GetAsync(maxAge, token), cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogListingFailed(e);
            return watch.Current;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The workers could not be listed; of the models that they forward to, those known before are served")]
    private partial void LogListingFailed(Exception exception);
}

using OllamaMax.Cluster;
using OllamaMax.Edge.Requests;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>What all workers together hold in memory: one entry a model, its largest copy, until the last of its copies goes.</summary>
internal sealed class LoadedModels(ClusterWatch watch, TimeProvider time) : ILoadedModels
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    public async ValueTask<IReadOnlyList<LoadedModel>> ListAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<WorkerView> views = await watch.GetAsync(MaxAge, cancellationToken);
        return
        [
            .. from view in views
               where view.State != WorkerState.Gone
               from held in view.Report.Models
               where held.Loaded
               group (Held: held, view.Age) by held.Digest into copies
               select new LoadedModel(
                   copies.Key,
                   copies.Max(copy => copy.Held.Bytes) ?? 0,
                   copies.Max(copy => copy.Held.VramBytes) ?? 0,
                   copies.Max(copy => copy.Held.ContextLength) ?? 0,
                   ExpiresAt(copies))
        ];
    }

    /// <summary>Null where one stays.</summary>
    private DateTimeOffset? ExpiresAt(IEnumerable<(HeldModel Held, TimeSpan Age)> copies)
    {
        DateTimeOffset now = time.GetUtcNow();
        double seconds = copies.Max(copy => copy.Held.ExpiresIn is { } expiresIn ? expiresIn - copy.Age.TotalSeconds : double.PositiveInfinity);
        // A job has used it since the report, or it would be gone: nothing in the past is shown.
        return seconds >= (DateTimeOffset.MaxValue - now).TotalSeconds ? null : now + TimeSpan.FromSeconds(Math.Max(0, seconds));
    }
}

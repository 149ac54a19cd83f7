using OllamaMax.Cluster;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Cluster;

/// <summary>What all workers together hold in memory: one entry a model, its largest copy.</summary>
internal sealed class LoadedModels(ClusterWatch watch) : ILoadedModels
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
               group held by held.Digest into copies
               select new LoadedModel(copies.Key, copies.Max(copy => copy.Bytes) ?? 0, SizeVram: 0, copies.Max(copy => copy.ContextLength) ?? 0, ExpiresAt: null)
        ];
    }
}

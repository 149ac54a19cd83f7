using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Costs;

/// <summary>What workers have asked of storage by themselves, as their heartbeats tell whoever leads.</summary>
internal sealed class WorkerCosts(ClusterWatch watch, TimeProvider time) : IReconciler
{
    /// <summary>The next leader may have taken over since, and may have seen more.</summary>
    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private (IReadOnlyList<WorkerView> Workers, long TakenAt)? _seen;

    public string Name => "costs";

    /// <summary>Each tick: what is listed anyway costs nothing.</summary>
    public TimeSpan Every => TimeSpan.Zero;

    /// <summary>All workers' reports; null where this edge does not lead.</summary>
    public IReadOnlyList<WorkerReport>? Current
    {
        get
        {
            lock (_lock)
                return _seen is { } seen && time.GetElapsedTime(seen.TakenAt) < GoodFor ? [.. seen.Workers.Select(worker => worker.Report)] : null;
        }
    }

    public Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        lock (_lock)
            _seen = watch.LastListing;
        return Task.FromResult(true);
    }
}

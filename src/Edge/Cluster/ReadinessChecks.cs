using OllamaMax.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Health;
using OllamaMax.Storage;

namespace OllamaMax.Edge.Cluster;

internal sealed class StorageCheck(StorageAccount storage) : IReadinessCheck
{
    public string Name => "storage";

    public async ValueTask<string?> CheckAsync(CancellationToken cancellationToken)
    {
        bool exists = await storage.Blobs.GetBlobContainerClient(Containers.Cluster).ExistsAsync(cancellationToken);
        return exists ? null : $"the container {Containers.Cluster} is missing";
    }
}

/// <summary>Sends nothing itself: that nothing is taken is known from the last requests.</summary>
internal sealed class SignalRCheck(EdgeListener listener, JobDispatcher dispatcher) : IReadinessCheck
{
    public string Name => "signalr";

    public ValueTask<string?> CheckAsync(CancellationToken cancellationToken) => new(
        !listener.IsConnected ? "this edge is not connected"
        : dispatcher.IsDeaf ? "this edge is connected, but what it sends is refused or lost"
        : null);
}

internal sealed class WorkersCheck(ClusterWatch watch) : IReadinessCheck
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    public string Name => "workers";

    public async ValueTask<string?> CheckAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<WorkerView> views = await watch.GetAsync(MaxAge, cancellationToken);
        return views.Any(view => view.State == WorkerState.Alive) ? null : "no worker is alive";
    }
}

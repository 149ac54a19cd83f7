using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Cluster;
using OllamaMax.Storage.Queues;

namespace OllamaMax.Edge.Cluster;

/// <summary>The cluster at a glance, as storage has it at this moment.</summary>
internal sealed class ClusterStatus(
    EdgeIdentity edge,
    ClusterDocuments documents,
    LeaderElection election,
    BlobLease lease,
    ClusterWatch watch,
    JobQueues queues,
    IModelSource models,
    IOptions<ClusterOptions> options)
{
    private static readonly TimeSpan ViewMaxAge = TimeSpan.FromSeconds(1);

    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    /// <exception cref="Leases.StoreException">As well.</exception>
    public async Task<StatusAnswer> ShowAsync(CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<QueueAnswer>> waiting = QueuesAsync(cancellationToken);
        IReadOnlyList<WorkerView> workers = await watch.GetAsync(ViewMaxAge, cancellationToken);
        var (state, error) = await StateAsync(cancellationToken);
        return new StatusAnswer(
            new EdgeAnswer(edge.Id, Environment.ProcessId, EdgeIdentity.Version),
            await LeaderAsync(state, cancellationToken),
            state?.Epoch is > 0 and var epoch ? epoch : null,
            new WorkerCountsAnswer(Count(WorkerState.Alive), Count(WorkerState.Suspect), Count(WorkerState.Draining), Count(WorkerState.Gone)),
            await waiting,
            error);

        int Count(WorkerState of) => workers.Count(worker => worker.State == of);
    }

    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<QueueAnswer>> QueuesAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, int> counts = await queues.CountAsync(cancellationToken);
        Dictionary<string, string> names = [];
        foreach (ModelView model in await models.ListAsync(cancellationToken))
        {
            foreach (Band band in Enum.GetValues<Band>())
                names.TryAdd(JobQueueName.For(model.Weights, band), model.Name.ToString());
        }
        return
        [
            .. counts.OrderBy(queue => queue.Key, StringComparer.Ordinal)
                .Select(queue => new QueueAnswer(names.GetValueOrDefault(queue.Key), JobQueueName.BandOf(queue.Key).ToString().ToLowerInvariant(), queue.Key, queue.Value)),
        ];
    }

    private async Task<(LeaderDocument<ClusterState>? State, string? Error)> StateAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await documents.State.ReadAsync(cancellationToken), null);
        }
        catch (DocumentException e)
        {
            return (null, e.Message);
        }
    }

    private async Task<LeaderAnswer?> LeaderAsync(LeaderDocument<ClusterState>? state, CancellationToken cancellationToken) =>
        state is { Leader: { } leader, Since: { } since } ? new LeaderAnswer(leader, since, await ExpiryAsync(state.Epoch, cancellationToken)) : null;

    /// <summary>The leader itself knows; to others storage tells only whether the lease is held, not since when.</summary>
    private async Task<DateTimeOffset?> ExpiryAsync(long epoch, CancellationToken cancellationToken)
    {
        if (election.Current is { } own && own.Term.Epoch == epoch)
            return own.LeaseExpiresAt;
        var (isHeld, now) = await lease.InspectAsync(cancellationToken);
        return isHeld ? now + options.Value.LeaseTime : null;
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Replication;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Storage.Models;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// Has workers make and delete copies until their reports show what the policies want, and delete those of models that are gone for long; tells operators what stands in the way.
/// </summary>
internal sealed partial class ReplicationReconciler(
    ClusterWatch watch,
    ModelCatalog catalog,
    ClusterDocuments documents,
    WorkerChannel workers,
    OperatorNotices notices,
    IOptions<ClusterOptions> options,
    IOptions<BackgroundOptions> jobs,
    ILogger<ReplicationReconciler> logger) : IReconciler
{
    private readonly Dictionary<string, string> _blocked = [];
    private (long Epoch, long TakenAt, long Version)? _seen;

    public string Name => "replication";

    /// <summary>Each tick: where no report and no wish is new, there is nothing to do.</summary>
    public TimeSpan Every => TimeSpan.Zero;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        if (watch.LastListing is not { } listing || documents.State.Last is not { } state || _seen == (term.Epoch, listing.TakenAt, state.Version))
            return true;
        bool isAnyKept = listing.Workers.Any(worker => worker.Report.Models.Any(model => model.Pinned == true || model.Warm == true));
        HashSet<string> unneeded = Unneeded(listing.Workers);
        if (state.Content.Policies.Count > 0 || isAnyKept || unneeded.Count > 0)
        {
            // What another edge has published a moment ago is to keep its copies.
            IReadOnlyList<ModelView> published = unneeded.Count > 0 ? await catalog.ListNowAsync(cancellationToken) : await catalog.ListAsync(cancellationToken);
            IReadOnlyList<PolicedModel> models = PolicedModels.Of(published, state.Content);
            // As the reports were listed: aged, they would make silence of what was only not looked at.
            ReplicationPlan plan = ReplicationPlanner.Plan(models, [.. listing.Workers.Select(state.Content.View)], options.Value.ReplaceAfter, StillUnneeded(unneeded, models));
            Tell(plan, published.Where(model => state.Content.Policies.ContainsKey(ClusterState.PolicyKey(model.Name))).ToLookup(model => model.Weights, model => model.Name));
            foreach (ReplicaOrders orders in plan.Orders)
            {
                cancellationToken.ThrowIfCancellationRequested();
                LogOrdered(orders.WorkerId, orders.Ensure.Count, orders.Evict.Count);
                await workers.OrderReplicasAsync(orders.WorkerId, new ReplicaOrdersMessage(ProtocolVersion.Current, term.Epoch, orders.Ensure, orders.Evict, orders.Pinned, orders.Warm));
            }
        }
        _seen = (term.Epoch, listing.TakenAt, state.Version);
        return true;
    }

    /// <summary>
    /// Marked for as long as content in storage is before it is deleted (<see cref="OrphansReconciler"/>). Only what somebody is there to delete: a worker that is gone is told of days later, and
    /// the catalogue is listed for each.
    /// </summary>
    private HashSet<string> Unneeded(IReadOnlyList<WorkerView> workers)
    {
        if (workers.Count == 0 || documents.Orphans.Last is not { } orphans)
            return [];
        HashSet<string> idle =
            [.. workers.Where(worker => worker.State != WorkerState.Gone && worker.Report.DiskError is null).SelectMany(worker => worker.Report.Models).Where(model => !model.IsInMemory).Select(model => model.Digest)];
        idle.IntersectWith(orphans.Content.UnneededCopies(options.Value.OrphanWaits(jobs.Value.Deadline).Content, workers.Max(worker => worker.HeartbeatAt + worker.Age)));
        return idle;
    }

    /// <summary>A name may have been put onto one since it was looked at; and a catalogue without any model says nothing.</summary>
    private static HashSet<string> StillUnneeded(HashSet<string> unneeded, IReadOnlyList<PolicedModel> models) =>
        models.Count == 0 ? [] : [.. unneeded.Except(models.Select(model => model.Digest))];

    /// <param name="plan">What comes of the policies.</param>
    /// <param name="names">Of the weights, those with a policy: people know models by these.</param>
    private void Tell(ReplicationPlan plan, ILookup<string, ModelName> names)
    {
        foreach (var (digest, model) in plan.Models)
        {
            if (model.BlockedBecause is not { } reason)
                _blocked.Remove(digest);
            else if (!_blocked.TryGetValue(digest, out string? before) || before != reason)
                TellBlocked(digest, string.Join(", ", names[digest]), model, _blocked[digest] = reason);
        }
    }

    private void TellBlocked(string digest, string names, ModelReplication model, string reason)
    {
        LogBlocked(names, model.Actual, model.Desired, reason);
        notices.Tell(NoticeTypes.Replication, digest, $"{names} has {model.Actual} of {model.Desired} copies, and more cannot be had: {reason}");
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Worker {Worker} is to make {Ensure} copies and to delete {Evict}")]
    private partial void LogOrdered(string worker, int ensure, int evict);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Models} has {Actual} of {Desired} copies, and more cannot be had: {Reason}")]
    private partial void LogBlocked(string models, int actual, int desired, string reason);
}

using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Requests;
using OllamaMax.Placement;
using OllamaMax.Storage.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Whether a worker may have the background job that it claims, now. The queue is first come, first served, and open to all who hold the model: what is not for this
/// worker, or not its tenant's turn, goes back into it.
/// </summary>
internal sealed class ClaimRules(JobRecordStore store, BackgroundBacklog backlog, IModelSource models, PlacementRules rules, ClusterWatch watch)
{
    /// <summary>Who was refused looks once more, finds nothing, and leaves the queue to others.</summary>
    private static readonly TimeSpan NotForThisOne = TimeSpan.FromSeconds(1);

    /// <summary>Labels change with a worker's start only.</summary>
    private static readonly TimeSpan ListingIsUsable = TimeSpan.FromSeconds(5);

    /// <summary>Null: it may. Otherwise for how long its message is to be hidden.</summary>
    public async Task<TimeSpan?> LaterAsync(string id, JobClaimRequest request, CancellationToken cancellationToken)
    {
        // The record is read for this alone: not where nobody is kept from anything.
        if (!rules.KeepAnybodyAway && !backlog.HasCaps)
            return null;
        StoredRecord? found = await store.FindAsync(id, cancellationToken);
        // The record itself decides about those that are over; and who claims again has been let in.
        if (found?.Record is not { IsEnded: false } record || record.ClaimId == request.ClaimId)
            return null;
        PlacementRule rule = rules.Of(record.Model, await models.ListAsync(cancellationToken), record.Tenant);
        if (rule.IsRestricted && !await IsAdmittedAsync(request.WorkerId, rule, cancellationToken))
            return NotForThisOne;
        return await backlog.HoldBackAsync(record, cancellationToken);
    }

    private async Task<bool> IsAdmittedAsync(string workerId, PlacementRule rule, CancellationToken cancellationToken)
    {
        IReadOnlyList<WorkerView> views = await watch.GetAsync(ListingIsUsable, cancellationToken);
        return views.Any(view => view.Report.Id == workerId && rule.Admits(view));
    }
}

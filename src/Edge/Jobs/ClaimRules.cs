using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Placement;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Whether a worker may have the background job that it claims, now. The queue is first come, first served, and open to all who hold the model: what is not for this
/// worker, or not its tenant's turn, goes back into it.
/// </summary>
internal sealed class ClaimRules(
    BackgroundBacklog backlog, IModelSource models, PlacementRules rules, ClusterWatch watch, IOptions<BackgroundOptions> options, TimeProvider time)
{
    /// <summary>Who was refused looks once more, finds nothing, and leaves the queue to others, who are to be told.</summary>
    public static readonly TimeSpan NotForThisOne = TimeSpan.FromSeconds(1);

    /// <summary>Labels change with a worker's start only.</summary>
    private static readonly TimeSpan ListingIsUsable = TimeSpan.FromSeconds(5);

    /// <summary>Null: it may. Otherwise for how long its message is to be hidden.</summary>
    /// <param name="record">As it was read.</param>
    /// <param name="request">Who asks.</param>
    /// <param name="output">What the job's output says.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public async Task<TimeSpan?> LaterAsync(JobRecord record, JobClaimRequest request, OutputFacts output, CancellationToken cancellationToken)
    {
        bool isChoosy = time.GetUtcNow() - record.QueuedAt < options.Value.ChoosyFor;
        bool spreads = isChoosy && record.IsSpread;
        bool avoids = HasJustFailed(record, request.WorkerId, output) || (isChoosy && HasFailed(record, request.WorkerId));
        bool hasImages = record.Job?.Forward?.HasImages == true;
        if (!rules.KeepAnybodyAway && !hasImages && !backlog.HasCaps && !spreads && !avoids)
            return null;
        // The record itself decides about those that are over; and who claims again has been let in.
        if (record.IsEnded || record.ClaimId == request.ClaimId)
            return null;
        PlacementRule rule = rules.Of(record.Model, await models.ListAsync(cancellationToken), record.Tenant, hasImages);
        if (rule.IsRestricted && !await IsAdmittedAsync(request.WorkerId, rule, cancellationToken))
            return NotForThisOne;
        IReadOnlyCollection<string> others = spreads || avoids ? await OthersAsync(record.Model, request.WorkerId, rule, cancellationToken) : [];
        // What has failed here is tried elsewhere.
        if (avoids && others.Any(other => !HasFailed(record, other)))
            return NotForThisOne;
        if (await backlog.HoldBackAsync(record, cancellationToken) is { } later)
            return later;
        return !spreads || await backlog.SpreadsAsync(record, request.WorkerId, others, cancellationToken) ? null : NotForThisOne;
    }

    private async Task<bool> IsAdmittedAsync(string workerId, PlacementRule rule, CancellationToken cancellationToken)
    {
        IReadOnlyList<WorkerView> views = await watch.GetAsync(ListingIsUsable, cancellationToken);
        return views.Any(view => view.Report.Id == workerId && rule.Admits(view));
    }

    /// <summary>
    /// Workers but this one that hold the model, or offer it, as last listed. Whether they have a free slot is not asked: who looks into a queue says of itself that all are taken, and the
    /// wait is short.
    /// </summary>
    private async Task<IReadOnlyCollection<string>> OthersAsync(string model, string workerId, PlacementRule rule, CancellationToken cancellationToken)
    {
        IReadOnlyList<WorkerView> views = await watch.GetAsync(ListingIsUsable, cancellationToken);
        return [.. views.Where(view => view.Report.Id != workerId && view.State == WorkerState.Alive && Holds(view, model) && rule.Admits(view)).Select(view => view.Report.Id)];
    }

    private static bool HasFailed(JobRecord record, string workerId) =>
        record.History.Any(failed => failed.WorkerId == workerId && failed.Kind is (AttemptFailure.Failed or AttemptFailure.Crashed));

    /// <summary>Its output says so, and the record does not yet.</summary>
    private static bool HasJustFailed(JobRecord record, string workerId, OutputFacts output) =>
        record is { Status: RecordStatus.Running, Attempt: { } attempt } && attempt.WorkerId == workerId && output.Attempt == attempt.Number && output.End?.Reason == EndReason.Failed;

    private static bool Holds(WorkerView view, string model) =>
        view.Report.Models.Any(held => held.Digest == model && held.Hangs != true) || view.Forwarded.Any(offered => offered.Digest == model);
}

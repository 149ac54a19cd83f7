using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Cluster;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// Marks blobs, queues and workers' copies that nobody seems to need, waits, looks again, and deletes those that still lie there as they did. Copies are deleted by workers, on the
/// orders of <see cref="ReplicationReconciler"/>.
/// </summary>
internal sealed partial class OrphansReconciler(
    OrphanBlobs blobs, ClusterWatch watch, ClusterDocuments documents, LeaderMetrics metrics, IOptions<ClusterOptions> options, IOptions<BackgroundOptions> jobs, ILogger<OrphansReconciler> logger) : IReconciler
{
    public string Name => "orphans";

    public TimeSpan Every => options.Value.OrphansEvery;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        // Without a listing nothing would seem to be in use.
        IReadOnlyList<WorkerView> workers = await watch.GetAsync(options.Value.ListEvery, cancellationToken);
        var (candidates, now) = await blobs.FindAsync(options.Value.OrphanWaits(jobs.Value.Deadline), InUse(workers), Copied(workers), cancellationToken);
        if (await documents.Orphans.ApplyAsync(term, marks => marks.Look(candidates, now), cancellationToken) is not { } marked)
            return false;
        foreach (OrphanCandidate orphan in marked.Content.Due(candidates, now).Where(orphan => !OrphanCandidate.IsCopy(orphan.Name)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            // An ex-leader may be here too. It deletes nothing that its owner has touched since the mark.
            if (!await blobs.DeleteAsync(orphan, cancellationToken))
                continue;
            LogDeleted(orphan.Name);
            metrics.OrphanDeleted();
        }
        return true;
    }

    /// <summary>Weights that workers run or copy, and models that they forward to.</summary>
    private static HashSet<string> InUse(IReadOnlyList<WorkerView> workers) =>
    [
        .. from worker in workers
           where worker.State != WorkerState.Gone
           from digest in worker.Report.Models.Where(model => model.IsInMemory).Select(model => model.Digest)
               .Concat((worker.Report.Transfers ?? []).Where(transfer => transfer.Error is null).Select(transfer => transfer.Digest))
               .Concat(worker.Forwarded.Select(model => model.Digest))
           where ModelDigest.IsValid(digest)
           select digest
    ];

    /// <summary>Of workers that are gone as well: a box that is switched off every night is to lose them too.</summary>
    private static HashSet<string> Copied(IReadOnlyList<WorkerView> workers) => [.. workers.SelectMany(worker => worker.Report.Models).Select(model => model.Digest).Where(ModelDigest.IsValid)];

    [LoggerMessage(Level = LogLevel.Information, Message = "{Orphan} belonged to nobody and is deleted")]
    private partial void LogDeleted(string orphan);
}

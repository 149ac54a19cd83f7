using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// Rolls up what was used on days that are over, a document for each key and day, into one for each tenant and month: a year's usage is a dozen reads then, and not hundreds for each key. Deletes months that are not to be
/// kept any more, and what keys and users have used of limits whose time is over; and says which documents were damaged, for as long as they lie there.
/// </summary>
internal sealed class UsageReconciler(
    UsageStore usage, UseStore limits, LeaderMetrics metrics, OperatorNotices notices, IOptions<ClusterOptions> cluster, IOptions<UsageOptions> options, TimeProvider time) : IReconciler
{
    /// <summary>Edges whose clocks are behind, or that storage kept waiting, have counted by then. Who is later still is counted all the same.</summary>
    private const int DaysLeftAlone = 2;

    /// <summary>A limit counts for a month at most.</summary>
    private static readonly TimeSpan LimitsKept = TimeSpan.FromDays(40);

    public string Name => "usage";

    public TimeSpan Every => cluster.Value.UsageEvery;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateOnly today = DateOnly.FromDateTime(now.UtcDateTime);
        if (!await usage.RollUpAsync(term.Epoch, today.AddDays(-DaysLeftAlone), cancellationToken))
            return false;
        if (options.Value.KeptMonths is { } months)
            await usage.DeleteBeforeAsync(today.AddMonths(-months), cancellationToken);
        await limits.DeleteUnusedAsync(now - LimitsKept, cancellationToken);
        IReadOnlyList<string> damaged = await usage.ListDamagedAsync(cancellationToken);
        metrics.FoundDamagedUsage(damaged.Count);
        foreach (string name in damaged)
            notices.Tell(NoticeTypes.UsageDamaged, name, $"a document of what was used was damaged; it lies as it was in the container keys, {name}");
        return true;
    }
}

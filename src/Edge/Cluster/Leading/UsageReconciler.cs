using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// Rolls up what was used on days that are over, a document for each key and day, into one for each tenant and month: a year's usage is a dozen reads then, and not hundreds for each key.
/// </summary>
internal sealed class UsageReconciler(UsageStore usage, IOptions<ClusterOptions> options, TimeProvider time) : IReconciler
{
    /// <summary>Edges whose clocks are behind, or that storage kept waiting, have counted by then. Who is later still is counted all the same.</summary>
    private const int DaysLeftAlone = 2;

    public string Name => "usage";

    public TimeSpan Every => options.Value.UsageEvery;

    public Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken) =>
        usage.RollUpAsync(term.Epoch, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime).AddDays(-DaysLeftAlone), cancellationToken);
}

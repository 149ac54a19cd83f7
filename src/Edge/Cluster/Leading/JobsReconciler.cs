using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Jobs;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>Ends background jobs that are past their deadlines, gives up attempts that have fallen silent, and deletes what is no longer kept. Records are their own fence.</summary>
internal sealed class JobsReconciler(JobTending tending, IOptions<ClusterOptions> options) : IReconciler
{
    public string Name => "jobs";

    public TimeSpan Every => options.Value.SweepEvery;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        await tending.SweepAsync(cancellationToken);
        return true;
    }
}

using OllamaMax.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>Orders each worker whose report is not what is wished for to be so: again and again, as messages get lost, until its report shows it.</summary>
internal sealed class DirectivesReconciler(ClusterWatch watch, WorkerChannel workers) : IReconciler
{
    public string Name => "directives";

    public TimeSpan Every => TimeSpan.Zero;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        foreach (WorkerView worker in watch.Current.Where(worker => worker.State != WorkerState.Gone && worker.IsToDrain != worker.Report.Draining))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await workers.DirectAsync(worker.Report.Id, new DirectiveMessage(ProtocolVersion.Current, term.Epoch, worker.IsToDrain));
        }
        return true;
    }
}

using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Pulls;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Storage.Models;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Replication;

/// <summary>The copies that workers make, as their last reports show them: some seconds old.</summary>
internal sealed class ReplicaTransfers(ClusterWatch watch, ModelCatalog catalog, WorkerChannel workers) : ITransferSource
{
    private static readonly TimeSpan ViewMaxAge = TimeSpan.FromSeconds(1);

    public async ValueTask<IReadOnlyList<TransferAnswer>> ListAsync(CancellationToken cancellationToken)
    {
        ILookup<string, ModelView> names = (await catalog.ListAsync(cancellationToken)).ToLookup(model => model.Weights);
        return [.. (await ReportedAsync(cancellationToken)).Select(copy => Answer(copy.Worker, copy.Transfer, names))];
    }

    /// <summary>Tells all workers that share the disk: for a quarter of an hour none of them makes the copy, whoever wants it.</summary>
    public async ValueTask<bool> CancelAsync(string id, CancellationToken cancellationToken)
    {
        var copies = await ReportedAsync(cancellationToken);
        if (copies.FirstOrDefault(copy => copy.Transfer.Error is null && IdOf(copy.Worker, copy.Transfer) == id) is not ({ } maker, { } transfer))
            return false;
        foreach (WorkerView worker in watch.Current.Where(worker => worker.State != WorkerState.Gone && DiskOf(worker.Report) == DiskOf(maker)))
            await workers.CancelTransferAsync(worker.Report.Id, transfer.Digest);
        return true;
    }

    private static string DiskOf(WorkerReport worker) => worker.Disk ?? worker.Id;

    private async Task<IReadOnlyList<(WorkerReport Worker, ReplicaTransfer Transfer)>> ReportedAsync(CancellationToken cancellationToken) =>
    [
        .. from worker in await watch.GetAsync(ViewMaxAge, cancellationToken)
           where worker.State != WorkerState.Gone
           from transfer in worker.Report.Transfers ?? []
           where ModelDigest.IsValid(transfer.Digest)
           select (worker.Report, transfer)
    ];

    private static string IdOf(WorkerReport worker, ReplicaTransfer transfer) => $"{worker.Id}-{ModelDigest.Hex(transfer.Digest)[..16]}";

    private static TransferAnswer Answer(WorkerReport worker, ReplicaTransfer transfer, ILookup<string, ModelView> names) => new(
        IdOf(worker, transfer),
        names[transfer.Digest].FirstOrDefault()?.Name.ToString() ?? transfer.Digest,
        "replica",
        transfer.Error is null ? TransferAnswer.Running : transfer.Cancelled == true ? TransferAnswer.Cancelled : TransferAnswer.Failed,
        transfer.Completed,
        transfer.Total,
        transfer.BytesPerSecond)
    {
        WorkerId = worker.Id,
        Error = transfer.Cancelled == true ? null : transfer.Error,
    };
}

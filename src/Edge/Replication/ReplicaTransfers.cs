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

    /// <summary>For a quarter of an hour none of the workers that share the disk makes the copy, whoever wants it.</summary>
    public async ValueTask<TransferOutcome> CancelAsync(string id, CancellationToken cancellationToken)
    {
        var copies = await ReportedAsync(cancellationToken);
        return copies.FirstOrDefault(copy => copy.Transfer.Error is null && IdOf(copy.Worker, copy.Transfer) == id) is ({ } maker, { } transfer)
            ? await TellAsync(maker, worker => workers.CancelTransferAsync(worker, transfer.Digest))
            : TransferOutcome.NotThere;
    }

    /// <summary>Has the worker make a copy that was cancelled or has failed.</summary>
    public async Task<TransferOutcome> ResumeAsync(string id, CancellationToken cancellationToken)
    {
        var copies = await ReportedAsync(cancellationToken);
        return copies.FirstOrDefault(copy => copy.Transfer.Error is not null && IdOf(copy.Worker, copy.Transfer) == id) is ({ } maker, { } transfer)
            ? await TellAsync(maker, worker => workers.ResumeTransferAsync(worker, transfer.Digest, begin: worker == maker.Id))
            : TransferOutcome.NotThere;
    }

    /// <summary>Tells all workers that share the disk, the one that makes the copy last: until it has been told, its reports stay as they are, and the same can be asked for again.</summary>
    private async Task<TransferOutcome> TellAsync(WorkerReport maker, Func<string, Task<bool>> tellAsync)
    {
        foreach (string worker in Sharing([DiskOf(maker)]).Select(worker => worker.Report.Id).OrderBy(id => id == maker.Id))
        {
            if (!await tellAsync(worker))
                return TransferOutcome.NotTold;
        }
        return TransferOutcome.Done;
    }

    /// <summary>Workers that were or may have been told not to make the copy, and that a policy which is put now wants it of, whatever was cancelled before.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<string>> FindWantedAsync(string digest, ModelPolicy policy, CancellationToken cancellationToken)
    {
        if (policy is { MinReplicas: 0, Pin: false })
            return [];
        // Not those alone that say that it was cancelled: they may only have been told a moment ago.
        string[] disks = [.. (await ReportedAsync(cancellationToken)).Where(copy => copy.Transfer.Digest == digest).Select(copy => DiskOf(copy.Worker))];
        return [.. Sharing(disks).Where(worker => policy.Admits(worker.Labels)).Select(worker => worker.Report.Id)];
    }

    /// <summary>Lets workers make the copy again. What cannot be said to one of them is in the log: it goes on by itself a quarter of an hour after the cancellation.</summary>
    public async Task ResumeAsync(string digest, IEnumerable<string> workerIds)
    {
        foreach (string worker in workerIds)
            await workers.ResumeTransferAsync(worker, digest, begin: false);
    }

    private IEnumerable<WorkerView> Sharing(string[] disks) => watch.Current.Where(worker => worker.State != WorkerState.Gone && disks.Contains(DiskOf(worker.Report)));

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

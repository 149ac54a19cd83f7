namespace OllamaMax.Edge.Pulls;

/// <summary>The pulls that run at this edge.</summary>
internal sealed class PullTransfers(ActivePulls pulls) : ITransferSource
{
    public ValueTask<IReadOnlyList<TransferAnswer>> ListAsync(CancellationToken cancellationToken) => new([.. pulls.List().Select(Answer)]);

    public ValueTask<TransferOutcome> CancelAsync(string id, CancellationToken cancellationToken) => new(pulls.Cancel(id) ? TransferOutcome.Done : TransferOutcome.NotThere);

    private static TransferAnswer Answer(RunningPull pull)
    {
        (long completed, long total, long speed) = pull.Progress.Sum;
        return new(pull.Id, pull.Request.Name.ToString(), TransferAnswer.Pull, TransferAnswer.Running, completed, total, speed);
    }
}

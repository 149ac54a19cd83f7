namespace OllamaMax.Edge.Pulls;

/// <summary>A client's part in a pull, until disposed: it may be others' too.</summary>
/// <param name="pull">The pull.</param>
/// <param name="mayWrite">Asked once more when all but the name is there: false, and there will be no model.</param>
/// <param name="leave">Ends this part.</param>
internal sealed class PullHandle(RunningPull pull, Func<CancellationToken, Task<bool>>? mayWrite, Action<PullHandle> leave) : IDisposable
{
    /// <summary>Null when the model is there; otherwise why it is not.</summary>
    public Task<string?> Ended => pull.Ended;

    public PullProgress Progress => pull.Progress;

    /// <summary>As <see cref="PullProgress.FollowAsync"/>.</summary>
    public IAsyncEnumerable<PullLine> FollowAsync(TimeSpan heartbeat, CancellationToken cancellationToken) =>
        pull.Progress.FollowAsync(pull.Ended, heartbeat, cancellationToken);

    public async Task<bool> MayWriteAsync(CancellationToken cancellationToken) => mayWrite is null || await mayWrite(cancellationToken);

    /// <summary>Ends the pull, whoever else follows it.</summary>
    public void Cancel() => pull.Cancel();

    public void Dispose() => leave(this);
}

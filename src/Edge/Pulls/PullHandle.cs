namespace OllamaMax.Edge.Pulls;

/// <summary>A client's part in a pull, until disposed: it may be others' too.</summary>
internal sealed class PullHandle(RunningPull pull, Action leave) : IDisposable
{
    /// <summary>Null when the model is there; otherwise why it is not.</summary>
    public Task<string?> Ended => pull.Ended;

    public PullProgress Progress => pull.Progress;

    /// <summary>As <see cref="PullProgress.FollowAsync"/>.</summary>
    public IAsyncEnumerable<PullLine> FollowAsync(TimeSpan heartbeat, CancellationToken cancellationToken) =>
        pull.Progress.FollowAsync(pull.Ended, heartbeat, cancellationToken);

    public void Dispose() => leave();
}

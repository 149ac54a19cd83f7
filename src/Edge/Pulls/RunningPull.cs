namespace OllamaMax.Edge.Pulls;

/// <summary>A pull that is under way at this edge.</summary>
internal sealed class RunningPull(PullRequest request, TimeProvider time, CancellationToken stopping) : IDisposable
{
    private readonly CancellationTokenSource _cancelled = CancellationTokenSource.CreateLinkedTokenSource(stopping);

    public string Id { get; } = Guid.NewGuid().ToString("n");

    public PullRequest Request => request;

    public PullProgress Progress { get; } = new(time);

    /// <summary>Null when the model is there; otherwise what the client is told. Never fails.</summary>
    public Task<string?> Ended { get; private set; } = Task.FromResult<string?>(null);

    /// <summary>Who follows it; the last one's leaving ends it. Changed under the lock of <see cref="ActivePulls"/>.</summary>
    public List<PullHandle> Followers { get; } = [];

    public void Start(Func<RunningPull, CancellationToken, Task<string?>> run) => Ended = Task.Run(() => run(this, _cancelled.Token), CancellationToken.None);

    /// <summary>It is ending, whoever follows it.</summary>
    public bool IsCancelled { get; private set; }

    /// <summary>Callbacks run elsewhere: the caller may hold a lock. Nothing where it has ended.</summary>
    public void Cancel()
    {
        IsCancelled = true;
        try
        {
            _ = _cancelled.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
        }
    }

    public void Dispose() => _cancelled.Dispose();
}

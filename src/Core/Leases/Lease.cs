namespace OllamaMax.Leases;

/// <summary>
/// A lease that is held, until <see cref="Lost"/>. Its time is counted from before each request left, so that it ends here no later than in storage, whatever
/// the clocks say. Not safe for concurrent use, but for <see cref="Lost"/> and <see cref="ExpiresAt"/>.
/// </summary>
public sealed class Lease : IAsyncDisposable
{
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(1);

    private readonly ILeaseStore _store;
    private readonly string _id;
    private readonly TimeSpan _duration;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private volatile CancellationTokenSource _lost = new();
    private long _expiresAt;
    private bool _isOver;

    private Lease(ILeaseStore store, string id, TimeSpan duration, TimeProvider time)
    {
        (_store, _id, _duration, _time) = (store, id, duration, time);
        _timer = time.CreateTimer(_ => _lost.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Cancelled when the lease was taken, broken or given up, and when its time is over without a renewal. That it ran out may be mended (<see cref="TryRenewAsync"/>):
    /// then there is a new token.
    /// </summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>By this process's clock.</summary>
    public DateTimeOffset ExpiresAt => new(Volatile.Read(ref _expiresAt), TimeSpan.Zero);

    /// <summary>Null while somebody else holds it.</summary>
    /// <param name="store">Where it is kept.</param>
    /// <param name="id">As <see cref="ILeaseStore.TryAcquireAsync"/> says.</param>
    /// <param name="duration">As there.</param>
    /// <param name="time">Measures it here.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    public static async Task<Lease?> TryAcquireAsync(
        ILeaseStore store, string id, TimeSpan duration, TimeProvider time, CancellationToken cancellationToken)
    {
        long sentAt = time.GetTimestamp();
        if (!await store.TryAcquireAsync(id, duration, cancellationToken))
            return null;
        Lease lease = new(store, id, duration, time);
        lease.Began(sentAt);
        return lease;
    }

    /// <summary>False: it is somebody else's by now, or was broken, and is lost for good.</summary>
    /// <exception cref="StoreException">Storage cannot be reached, or refused: it is still held until it runs out.</exception>
    public async Task<bool> TryRenewAsync(CancellationToken cancellationToken)
    {
        long sentAt = _time.GetTimestamp();
        if (!await _store.TryRenewAsync(_id, cancellationToken))
        {
            Abandon();
            return false;
        }
        Began(sentAt);
        return true;
    }

    /// <summary>Gives it up; others can have it at once, or, where storage cannot be told soon, when it has run out there.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isOver)
            return;
        Abandon();
        using CancellationTokenSource patience = new(Goodbye, _time);
        try
        {
            await _store.ReleaseAsync(_id, patience.Token);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // It runs out by itself.
        }
    }

    private void Abandon()
    {
        _isOver = true;
        _timer.Dispose();
        _lost.Cancel();
    }

    private void Began(long sentAt)
    {
        TimeSpan left = _duration - _time.GetElapsedTime(sentAt);
        // The answer took so long that it is over again.
        if (left <= TimeSpan.Zero)
        {
            _lost.Cancel();
            return;
        }
        if (_lost.IsCancellationRequested)
            _lost = new CancellationTokenSource();
        Volatile.Write(ref _expiresAt, (_time.GetUtcNow() + left).UtcTicks);
        _timer.Change(left, Timeout.InfiniteTimeSpan);
    }
}

using OllamaMax.Leases;

namespace OllamaMax.Cluster;

/// <summary>
/// One instance's part in the election: each tick it renews the lease, or tries to take it, and whoever has taken it anew takes the next epoch and writes that into
/// every leader-owned document before it does anything else. What is kept between ticks is a hint that saves requests: an instance that knows nothing waits until
/// the lease runs out. Disposing gives the lease up at once.
/// </summary>
/// <param name="id">Of this instance, new with each start.</param>
/// <param name="leases">The lease on being the leader.</param>
/// <param name="documents">All that the leader owns; the first gives each epoch its one leader.</param>
/// <param name="leaseTime">15 to 60 whole seconds.</param>
/// <param name="time">This instance's clock.</param>
public sealed class LeaderElection(string id, ILeaseStore leases, IReadOnlyList<FencedStore> documents, TimeSpan leaseTime, TimeProvider time) : IAsyncDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly string _leaseId = Guid.NewGuid().ToString();
    private Lease? _lease;
    private LeaderTerm? _term;
    private long _refusedEpoch;
    private bool _isDisposed;

    /// <summary>The term that this instance leads in, as far as it knows; when its lease was last renewed until, by its own clock.</summary>
    public (LeaderTerm Term, DateTimeOffset LeaseExpiresAt)? Current =>
        _lease is { Lost.IsCancellationRequested: false } lease && _term is { } term ? (term, lease.ExpiresAt) : null;

    /// <summary>
    /// Null: another instance leads, or nobody does yet. Otherwise what may be done until <c>Lost</c> is cancelled, all of it under the term's fence: the lease may be
    /// lost before that is noticed.
    /// </summary>
    /// <exception cref="StoreException">Storage cannot be reached, or does not answer within the lease's time.</exception>
    /// <exception cref="DocumentException">A document cannot be read: the lease is left to an instance that may know how.</exception>
    public async Task<(LeaderTerm Term, CancellationToken Lost)?> TickAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = new(leaseTime, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return _isDisposed ? null : await TickOnceAsync(either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StoreException($"storage has not answered within {leaseTime.TotalSeconds} s", e);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>
    /// A document has refused a write of this term: it is over, whatever the lease says, which may have been away and come back. The next tick takes the next epoch, if the
    /// lease is this instance's.
    /// </summary>
    public void Refused(LeaderTerm term) => Volatile.Write(ref _refusedEpoch, term.Epoch);

    public async ValueTask DisposeAsync()
    {
        await _oneAtATime.WaitAsync();
        try
        {
            _isDisposed = true;
            await StepDownAsync();
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<(LeaderTerm Term, CancellationToken Lost)?> TickOnceAsync(CancellationToken cancellationToken)
    {
        if (!await HoldAsync(cancellationToken))
            return null;
        if (_term?.Epoch == Volatile.Read(ref _refusedEpoch))
            _term = null;
        try
        {
            _term ??= await TakeOverAsync(cancellationToken);
        }
        catch (DocumentException)
        {
            await StepDownAsync();
            throw;
        }
        if (_term is null)
            await StepDownAsync();
        return _lease is { Lost: { IsCancellationRequested: false } lost } && _term is { } term ? (term, lost) : null;
    }

    private async Task<bool> HoldAsync(CancellationToken cancellationToken)
    {
        if (_lease is not null && await _lease.TryRenewAsync(cancellationToken))
            return true;
        (_lease, _term) = (null, null);
        _lease = await Lease.TryAcquireAsync(leases, _leaseId, leaseTime, time, cancellationToken);
        return _lease is not null;
    }

    /// <summary>Null: somebody else has the lease by now, and was faster.</summary>
    private async Task<LeaderTerm?> TakeOverAsync(CancellationToken cancellationToken)
    {
        long[] epochs = await Task.WhenAll(documents.Select(document => document.ReadEpochAsync(cancellationToken)));
        LeaderTerm term = new(epochs.Max() + 1, id, time.GetUtcNow());
        foreach (FencedStore document in documents)
        {
            if (!await document.TakeOverAsync(term, cancellationToken))
                return null;
        }
        return term;
    }

    private async Task StepDownAsync()
    {
        Lease? lease = _lease;
        (_lease, _term) = (null, null);
        if (lease is not null)
            await lease.DisposeAsync();
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// Verified copies of model weights on this box's disk. One is fetched once, however many ask for it; it is looked at again each time that it is taken, and one that is damaged
/// is repaired before anybody gets it.
/// </summary>
internal sealed partial class ReplicaStore(
    ReplicaFolder folder, ModelSource source, Random random, IOptions<WorkerOptions> options, TimeProvider time, ILogger<ReplicaStore> logger) : IAsyncDisposable
{
    /// <summary>A copy that is damaged again and again lies on a disk that is.</summary>
    private const int MostRepairs = 3;

    private static readonly TimeSpan OtherWorkersCheck = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Fetch> _running = [];
    private readonly FetchFailures _failures = new(time);
    private readonly SpotCheck _check = new(random);
    private readonly ReplicaRoom _room = new(folder, options.Value.DiskBudget);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>A copy has come or gone, is on its way, or has failed to come. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>Copies on their way, and those that could not be had a short while ago.</summary>
    public IReadOnlyList<ReplicaTransfer> Transfers
    {
        get
        {
            lock (_lock)
                return [.. _running.Values.Select(fetch => fetch.Progress.Describe()), .. _failures.Recent().Where(failed => !_running.ContainsKey(failed.Digest))];
        }
    }

    /// <summary>Whether any is on its way.</summary>
    public bool IsFetching
    {
        get
        {
            lock (_lock)
                return _running.Count > 0;
        }
    }

    /// <inheritdoc cref="ReplicaFolder.Id"/>
    public string? Disk => folder.Id;

    /// <inheritdoc cref="ReplicaRoom.Free"/>
    public long Room => _room.Free;

    /// <inheritdoc cref="ReplicaRoom.Evictable"/>
    public long? Evictable => _room.Evictable;

    /// <summary>Digests of all copies here.</summary>
    public IReadOnlyList<string> List() => folder.List();

    public IReadOnlySet<string> Pinned() => folder.Pinned();

    /// <summary>The copy, fetched first where it is missing, and repaired where it is damaged. It is not deleted while this is held.</summary>
    /// <exception cref="ReplicaException">It cannot be had.</exception>
    public async Task<Replica> HoldAsync(string digest, CancellationToken cancellationToken)
    {
        for (int repairs = 0; repairs <= MostRepairs; repairs++)
        {
            if (folder.TryHold(digest) is var (replica, chunks))
            {
                if (await IsSoundAsync(replica, chunks, cancellationToken))
                    return replica;
                LogDamaged(digest);
                Demote(digest);
            }
            await FetchAsync(digest, cancellationToken);
        }
        throw new ReplicaException($"the copy of {digest} is damaged again and again: the disk may be");
    }

    /// <summary>Has the copy here, if it can be had; why not, the transfers tell.</summary>
    public async Task EnsureAsync(string digest, CancellationToken cancellationToken)
    {
        if (folder.TryHold(digest) is var (replica, _))
        {
            replica.Dispose();
            return;
        }
        try
        {
            await FetchAsync(digest, cancellationToken);
        }
        catch (ReplicaException)
        {
            // Logged and kept where it came up.
        }
    }

    /// <summary>Whether it could not be had a short while ago.</summary>
    public bool HasFailed(string digest)
    {
        lock (_lock)
            return _failures.Find(digest) is not null;
    }

    /// <summary>Whether people have ended its fetching a short while ago: it is not begun again for anybody.</summary>
    public bool IsCancelled(string digest)
    {
        lock (_lock)
            return _failures.HeldFor(digest) > TimeSpan.Zero;
    }

    /// <summary>Ends the fetching of a copy, and has none begin for a while; what is there of it stays. False: it is here already.</summary>
    public bool Cancel(string digest)
    {
        if (IsThere(digest))
            return false;
        lock (_lock)
        {
            if (_running.TryGetValue(digest, out Fetch? fetch))
            {
                fetch.IsUnwanted = true;
                fetch.Ends.Cancel();
            }
            else
            {
                _failures.Add(Cancelled(new TransferProgress(digest, time)));
            }
        }
        Changed?.Invoke();
        return true;
    }

    /// <summary>Deletes a copy that nobody uses. False: somebody does, or there is none.</summary>
    public bool Evict(string digest)
    {
        if (!folder.TryDelete(digest))
            return false;
        LogEvicted(digest);
        Changed?.Invoke();
        return true;
    }

    /// <summary>Of the copies here, exactly these are to stay whatever room others need.</summary>
    public void Pin(IReadOnlySet<string> digests)
    {
        IReadOnlySet<string> before = folder.Pinned();
        HashSet<string> now = [.. folder.List().Where(digests.Contains)];
        if (now.SetEquals(before))
            return;
        foreach (string digest in now.Except(before))
            folder.Pin(digest, isPinned: true);
        foreach (string digest in before.Except(now))
            folder.Pin(digest, isPinned: false);
        Changed?.Invoke();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task[] running;
        lock (_lock)
            running = [.. _running.Values.Select(fetch => fetch.Task)];
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Demote(string digest)
    {
        try
        {
            folder.Demote(digest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ReplicaException($"the copy of {digest} is damaged, and cannot be replaced: {e.Message}", e);
        }
    }

    /// <summary>
    /// A disk that rots, or a file that was cut off, is found here more often than not, for the price of some milliseconds. What is not sound is held no more.
    /// </summary>
    private async Task<bool> IsSoundAsync(Replica replica, ModelChunks chunks, CancellationToken cancellationToken)
    {
        bool isSound = false;
        try
        {
            isSound = await _check.IsWholeAsync(replica.Path, chunks, cancellationToken);
            if (isSound)
                folder.Touch(chunks.Digest);
        }
        catch (IOException e)
        {
            isSound = false;
            LogUnreadable(e, replica.Path);
        }
        finally
        {
            if (!isSound)
                replica.Dispose();
        }
        return isSound;
    }

    /// <summary>Who leaves does not end it for the others, nor for itself later.</summary>
    private Task FetchAsync(string digest, CancellationToken cancellationToken)
    {
        Fetch? fetch;
        lock (_lock)
        {
            if (_failures.HeldFor(digest) is { Ticks: > 0 } held)
                throw new ReplicaException($"the copying of {digest} to this worker was cancelled; it is not begun again for {Math.Ceiling(held.TotalMinutes):0} min");
            if (!_running.TryGetValue(digest, out fetch))
            {
                fetch = new Fetch(new TransferProgress(digest, time), CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token));
                _running.Add(digest, fetch);
                fetch.Task = Task.Run(() => RunAsync(fetch), CancellationToken.None);
            }
        }
        Changed?.Invoke();
        return fetch.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync(Fetch fetch)
    {
        string digest = fetch.Progress.Digest;
        ReplicaException? failure = null;
        try
        {
            await CopyAsync(fetch);
        }
        catch (OperationCanceledException e) when (fetch.Ends.IsCancellationRequested)
        {
            failure = new ReplicaException(fetch.IsUnwanted ? $"the copying of {digest} was cancelled" : "the worker ends", e);
        }
        catch (ReplicaException e)
        {
            failure = e;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            failure = new ReplicaException($"model {digest} cannot be stored: {e.Message}", e);
        }
        catch (Exception e)
        {
            // Whatever it is: who waits must hear of it, and who comes next must not wait for this one.
            LogUnexpected(e, digest);
            failure = new ReplicaException($"model {digest} could not be fetched; the worker's log says more", e);
        }
        lock (_lock)
        {
            _running.Remove(digest);
            if (failure is null)
                _failures.Forget(digest);
            else
                _failures.Add(fetch.IsUnwanted ? Cancelled(fetch.Progress) : fetch.Progress.Describe() with { Error = failure.Message });
        }
        fetch.Ends.Dispose();
        Changed?.Invoke();
        if (failure is null)
            return;
        LogFailed(digest, failure.Message);
        throw failure;
    }

    private async Task CopyAsync(Fetch fetch)
    {
        string digest = fetch.Progress.Digest;
        using FileStream? partial = await TakePartialAsync(digest, fetch.Ends.Token);
        if (partial is null)
            return;
        try
        {
            await CopyAsync(fetch, partial);
        }
        catch (DamagedSourceException)
        {
            folder.DeletePartial(digest);
            throw;
        }
        catch (IOException e) when (ReplicaFolder.IsDiskFull(e))
        {
            // Others on the box need what room there is.
            folder.DeletePartial(digest);
            throw new ReplicaException($"the disk is full, and {digest} is not on it", e);
        }
        finally
        {
            if (partial.CanRead && RandomAccess.GetLength(partial.SafeFileHandle) == 0)
                folder.DeletePartial(digest);
            folder.Release(digest);
        }
    }

    private async Task CopyAsync(Fetch fetch, FileStream partial)
    {
        ModelChunks chunks = await source.ChunksAsync(fetch.Progress.Digest, fetch.Ends.Token);
        // One after the other, whichever worker makes them: two that come at once must not take the same room.
        using (await folder.LockAsync(fetch.Ends.Token))
        {
            _room.Make(chunks.Digest, chunks.Size, RandomAccess.GetLength(partial.SafeFileHandle), Evict);
            folder.Reserve(chunks.Digest, chunks.Size);
        }
        fetch.Progress.Total = chunks.Size;
        await new ChunkCopy(source, chunks, partial.SafeFileHandle, fetch.Progress).RunAsync(fetch.Ends.Token);
        folder.Promote(partial, chunks);
        LogFetched(chunks.Digest, chunks.Size >> 20, fetch.Progress.Fetched >> 20);
    }

    /// <summary>Null: another worker of this box has made the copy meanwhile.</summary>
    private async Task<FileStream?> TakePartialAsync(string digest, CancellationToken cancellationToken)
    {
        while (true)
        {
            // A copy that is only being looked at for room must not be taken for none.
            using (await folder.LockAsync(cancellationToken))
            {
                if (IsThere(digest))
                    return null;
                folder.Demote(digest);
                if (folder.TryTakePartial(digest) is { } partial)
                {
                    // The other one may have finished between the two looks: its copy, with or without its list yet, lies under the last name.
                    if (partial.Length > 0 || !File.Exists(folder.PathOf(digest)))
                        return partial;
                    folder.DeletePartial(digest);
                    await partial.DisposeAsync();
                    continue;
                }
            }
            await Task.Delay(OtherWorkersCheck, time, cancellationToken);
        }
    }

    private static ReplicaTransfer Cancelled(TransferProgress progress) => progress.Describe() with { Error = "cancelled", Cancelled = true };

    private bool IsThere(string digest)
    {
        if (folder.TryHold(digest) is not var (replica, _))
            return false;
        replica.Dispose();
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Fetched {Digest}: {Megabytes} MB, {Now} MB of them now")]
    private partial void LogFetched(string digest, long megabytes, long now);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Digest} is not fetched: {Reason}")]
    private partial void LogFailed(string digest, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure while {Digest} was fetched")]
    private partial void LogUnexpected(Exception exception, string digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The copy of {Digest} is damaged; what is wrong with it is fetched again")]
    private partial void LogDamaged(string digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The copy {Path} cannot be read")]
    private partial void LogUnreadable(Exception exception, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted the copy of {Digest}")]
    private partial void LogEvicted(string digest);

    private sealed class Fetch(TransferProgress progress, CancellationTokenSource ends)
    {
        public TransferProgress Progress => progress;

        public CancellationTokenSource Ends => ends;

        public bool IsUnwanted { get; set; }

        public Task Task { get; set; } = null!;
    }
}

using Microsoft.Extensions.Logging;
using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Copies on their way to this box's disk: each is made once, however many ask for it, and not at all for a while after people have cancelled it.</summary>
/// <param name="folder">Where they come to lie.</param>
/// <param name="source">Where they come from.</param>
/// <param name="room">Of the folder.</param>
/// <param name="watch">Of the folder.</param>
/// <param name="evict">Deletes a copy that nobody uses.</param>
/// <param name="time">Of waiting.</param>
/// <param name="logger">Of whoever offers the copies.</param>
internal sealed partial class ReplicaFetches(ReplicaFolder folder, ModelSource source, ReplicaRoom room, FolderWatch watch, Func<string, bool> evict, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan OtherWorkersCheck = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Fetch> _running = [];
    private readonly FetchFailures _failures = new(time);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>A copy has come, is on its way, or has failed to come. Called on any thread.</summary>
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
        if (folder.Holds(digest))
            return false;
        lock (_lock)
        {
            Fetch? fetch = _running.GetValueOrDefault(digest);
            _failures.Add((fetch?.Progress ?? new TransferProgress(digest, time)).Describe() with { Error = "cancelled", Cancelled = true });
            if (fetch is not null)
            {
                fetch.IsUnwanted = true;
                fetch.Ends.Cancel();
            }
        }
        Changed?.Invoke();
        return true;
    }

    /// <summary>The copy may be made again at once, though it was cancelled or has failed. False: neither.</summary>
    public bool Resume(string digest)
    {
        lock (_lock)
        {
            if (_failures.Find(digest) is null)
                return false;
            _failures.Forget(digest);
        }
        Changed?.Invoke();
        return true;
    }

    /// <summary>Who leaves does not end it for the others, nor for itself later.</summary>
    /// <exception cref="ReplicaException">It cannot be had.</exception>
    public async Task FetchAsync(string digest, CancellationToken cancellationToken)
    {
        while (true)
        {
            Fetch fetch = JoinOrBegin(digest);
            Changed?.Invoke();
            Task ended = fetch.Task.WaitAsync(cancellationToken);
            if (!fetch.IsUnwanted)
            {
                await ended;
                return;
            }
            // It was cancelled and is wanted after all: another one begins where this one ends.
            await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task[] running;
        lock (_lock)
            running = [.. _running.Values.Select(fetch => fetch.Task)];
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Fetch JoinOrBegin(string digest)
    {
        lock (_lock)
        {
            if (_failures.HeldFor(digest) is { Ticks: > 0 } held)
                throw new ReplicaException($"the copying of {digest} to this worker was cancelled; it is not begun again for {Math.Ceiling(held.TotalMinutes):0} min");
            if (!_running.TryGetValue(digest, out Fetch? fetch))
            {
                fetch = new Fetch(new TransferProgress(digest, time), CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token));
                _running.Add(digest, fetch);
                fetch.Task = Task.Run(() => RunAsync(fetch), CancellationToken.None);
            }
            return fetch;
        }
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
            watch.Look();
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
            else if (!fetch.IsUnwanted)
                _failures.Add(fetch.Progress.Describe() with { Error = failure.Message });
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
            room.Make(chunks.Digest, chunks.Size, RandomAccess.GetLength(partial.SafeFileHandle), evict);
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
                if (folder.Holds(digest))
                    return null;
                folder.Demote(digest);
                if (folder.TryTakePartial(digest) is { } partial)
                {
                    // The other one may have finished between the two looks: its copy, with or without its list yet, lies under the last name.
                    if (partial.Length > 0 || !File.Exists(folder.PathOf(digest)))
                    {
                        // Somebody goes on with it, though its source may have been away for a day.
                        File.SetLastWriteTimeUtc(partial.SafeFileHandle, time.GetUtcNow().UtcDateTime);
                        return partial;
                    }
                    folder.DeletePartial(digest);
                    await partial.DisposeAsync();
                    continue;
                }
            }
            await Task.Delay(OtherWorkersCheck, time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Fetched {Digest}: {Megabytes} MB, {Now} MB of them now")]
    private partial void LogFetched(string digest, long megabytes, long now);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Digest} is not fetched: {Reason}")]
    private partial void LogFailed(string digest, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure while {Digest} was fetched")]
    private partial void LogUnexpected(Exception exception, string digest);

    private sealed class Fetch(TransferProgress progress, CancellationTokenSource ends)
    {
        private volatile bool _isUnwanted;

        public TransferProgress Progress => progress;

        public CancellationTokenSource Ends => ends;

        /// <summary>People have cancelled it.</summary>
        public bool IsUnwanted
        {
            get => _isUnwanted;
            set => _isUnwanted = value;
        }

        public Task Task { get; set; } = null!;
    }
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// Verified copies of model weights on this box's disk. One is fetched once, however many ask for it; it is looked at again each time that it is taken, and one that is damaged
/// is repaired before anybody gets it.
/// </summary>
internal sealed partial class ReplicaStore : IAsyncDisposable
{
    /// <summary>A copy that is damaged again and again lies on a disk that is.</summary>
    private const int MostRepairs = 3;

    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromDays(1);

    private readonly ReplicaFolder _folder;
    private readonly ReplicaFetches _fetches;
    private readonly SpotCheck _check;
    private readonly ReplicaRoom _room;
    private readonly FolderWatch _watch;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public ReplicaStore(ReplicaFolder folder, ModelSource source, Random random, IOptions<WorkerOptions> options, TimeProvider time, ILogger<ReplicaStore> logger)
    {
        _folder = folder;
        _check = new(random);
        _room = new(folder, options.Value.DiskBudget);
        _watch = new(folder, time, logger);
        _fetches = new(folder, source, _room, _watch, TryEvict, time, logger);
        _fetches.Changed += () => Changed?.Invoke();
        _time = time;
        _logger = logger;
    }

    /// <summary>A copy has come or gone, is on its way, or has failed to come. Called on any thread.</summary>
    public event Action? Changed;

    /// <inheritdoc cref="ReplicaFetches.Transfers"/>
    public IReadOnlyList<ReplicaTransfer> Transfers => _fetches.Transfers;

    /// <inheritdoc cref="ReplicaFetches.IsFetching"/>
    public bool IsFetching => _fetches.IsFetching;

    /// <inheritdoc cref="ReplicaFolder.Id"/>
    public string? Disk => _folder.Id;

    /// <inheritdoc cref="FolderWatch.WhyNot"/>
    public string? DiskError => _watch.WhyNot();

    /// <inheritdoc cref="ReplicaRoom.Free"/>
    public long Room => DiskError is null ? _room.Free : 0;

    /// <inheritdoc cref="ReplicaRoom.Evictable"/>
    public long? Evictable => DiskError is null ? _room.Evictable : null;

    /// <summary>Digests of all copies here.</summary>
    public IReadOnlyList<string> List() => _folder.List();

    public IReadOnlySet<string> Pinned() => _folder.Pinned();

    /// <summary>The copy, fetched first where it is missing, and repaired where it is damaged. It is not deleted while this is held.</summary>
    /// <exception cref="ReplicaException">It cannot be had.</exception>
    public async Task<Replica> HoldAsync(string digest, CancellationToken cancellationToken)
    {
        for (int repairs = 0; repairs <= MostRepairs; repairs++)
        {
            if (_folder.TryHold(digest) is var (replica, chunks))
            {
                if (await IsSoundAsync(replica, chunks, cancellationToken))
                    return replica;
                LogDamaged(digest);
                Demote(digest);
            }
            await _fetches.FetchAsync(digest, cancellationToken);
        }
        throw new ReplicaException($"the copy of {digest} is damaged again and again: the disk may be");
    }

    /// <summary>Has the copy here, if it can be had; why not, the transfers tell.</summary>
    public async Task EnsureAsync(string digest, CancellationToken cancellationToken)
    {
        if (_folder.Holds(digest))
            return;
        try
        {
            await _fetches.FetchAsync(digest, cancellationToken);
        }
        catch (ReplicaException)
        {
            // Logged and kept where it came up.
        }
    }

    /// <inheritdoc cref="ReplicaFetches.HasFailed"/>
    public bool HasFailed(string digest) => _fetches.HasFailed(digest);

    /// <inheritdoc cref="ReplicaFetches.IsCancelled"/>
    public bool IsCancelled(string digest) => _fetches.IsCancelled(digest);

    /// <inheritdoc cref="ReplicaFetches.Cancel"/>
    public bool Cancel(string digest) => _fetches.Cancel(digest);

    /// <inheritdoc cref="ReplicaFetches.Resume"/>
    public bool Resume(string digest) => _fetches.Resume(digest);

    /// <summary>Deletes copies that nobody uses.</summary>
    /// <returns>Those that it has deleted.</returns>
    public async Task<IReadOnlyList<string>> EvictAsync(IReadOnlyCollection<string> digests, CancellationToken cancellationToken)
    {
        if (digests.Count == 0)
            return [];
        try
        {
            // Whoever begins a copy has the lock too: what it is about to go on with does not go.
            using (await _folder.LockAsync(cancellationToken))
                return [.. digests.Where(TryEvict)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Where nothing can be written nothing can be deleted.
            _watch.Look();
            return [];
        }
    }

    /// <summary>Deletes a copy that nobody uses. False: somebody does, or there is none. Whoever calls has the folder's lock.</summary>
    private bool TryEvict(string digest)
    {
        if (!_folder.TryDelete(digest))
        {
            // In use, or nothing can be deleted there.
            if (_folder.Holds(digest))
                _watch.Look();
            return false;
        }
        LogEvicted(digest);
        Changed?.Invoke();
        return true;
    }

    /// <summary>Deletes what there is of copies that nobody has gone on with for a day. Nobody orders what belonged to a deleted model to go: reports do not list it.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public async Task DeleteAbandonedAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset since = _time.GetUtcNow() - AbandonedAfter;
        if (_folder.PartialsBefore(since).Count == 0)
            return;
        // Whoever begins a copy has the lock too: what it is about to go on with does not go.
        using (await _folder.LockAsync(cancellationToken))
        {
            foreach (string digest in _folder.PartialsBefore(since).Where(_folder.TryDeletePartial))
                LogAbandoned(digest);
        }
    }

    /// <summary>Of the copies here, exactly these are to stay whatever room others need. Where nothing can be written all do.</summary>
    public void Pin(IReadOnlySet<string> digests)
    {
        IReadOnlySet<string> before = _folder.Pinned();
        HashSet<string> now = [.. _folder.List().Where(digests.Contains)];
        if (now.SetEquals(before) || DiskError is not null)
            return;
        try
        {
            foreach (string digest in now.Except(before))
                _folder.Pin(digest, isPinned: true);
            foreach (string digest in before.Except(now))
                _folder.Pin(digest, isPinned: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotPinned(e);
            _watch.Look();
        }
        Changed?.Invoke();
    }

    public ValueTask DisposeAsync() => _fetches.DisposeAsync();

    private void Demote(string digest)
    {
        try
        {
            _folder.Demote(digest);
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
                _folder.Touch(chunks.Digest);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The copy of {Digest} is damaged; what is wrong with it is fetched again")]
    private partial void LogDamaged(string digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Which copies are to stay cannot be written down")]
    private partial void LogNotPinned(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The copy {Path} cannot be read")]
    private partial void LogUnreadable(Exception exception, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted the copy of {Digest}")]
    private partial void LogEvicted(string digest);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted what there was of {Digest}: nobody has gone on with it for a day")]
    private partial void LogAbandoned(string digest);
}

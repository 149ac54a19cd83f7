using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Leases;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster;

/// <summary>
/// The last listing of the heartbeats, with the wishes of the cluster's state. Asked for, never polled: an edge that nobody asks anything makes no storage operation.
/// </summary>
internal sealed partial class ClusterWatch(
    Heartbeats heartbeats, ClusterDocuments documents, StoragePatience storage, TimeProvider time, ILogger<ClusterWatch> logger)
{
    private readonly Lock _lock = new();
    private Task<IReadOnlyList<WorkerView>>? _running;
    private readonly Dictionary<string, (int Used, int Total, long At)> _heard = [];
    private IReadOnlyList<WorkerView> _last = [];
    private long _takenAt;
    private bool _taken;

    /// <summary>Called after each listing, on any thread.</summary>
    public event Action<IReadOnlyList<WorkerView>>? Listed;

    /// <summary>Workers as last listed, aged by the time since, with the slots as they told this edge later; empty before the first listing.</summary>
    public IReadOnlyList<WorkerView> Current
    {
        get
        {
            // Wishes that this edge has just put count at once.
            ClusterState? state = documents.State.Last?.Content;
            lock (_lock)
            {
                TimeSpan since = Age_NeedsLock();
                return since == TimeSpan.MaxValue ? [] : [.. _last.Select(view => Updated_NeedsLock(Wished(view with { Age = view.Age + since }, state)))];
            }
        }
    }

    /// <summary>The last listing as it was when it was taken; null before the first.</summary>
    public (IReadOnlyList<WorkerView> Workers, long TakenAt)? LastListing
    {
        get
        {
            lock (_lock)
                return _taken ? (_last, _takenAt) : null;
        }
    }

    /// <summary>Time since the last listing.</summary>
    public TimeSpan Age
    {
        get
        {
            lock (_lock)
                return Age_NeedsLock();
        }
    }

    /// <summary>A listing that is at most <paramref name="maxAge"/> old.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<WorkerView>> GetAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        if (Age <= maxAge)
            return Current;
        await Listing().WaitAsync(cancellationToken);
        return Current;
    }

    /// <summary>Lists again in the background when the last listing is older than <paramref name="maxAge"/>.</summary>
    public void RefreshInBackground(TimeSpan maxAge)
    {
        if (Age > maxAge)
            _ = LogFailureAsync(Listing());
    }

    /// <summary>Takes in what a worker says of its slots between its reports.</summary>
    public void Heard(WorkerMessage message)
    {
        lock (_lock)
            _heard[message.WorkerId] = (message.SlotsUsed, message.SlotsTotal, time.GetTimestamp());
    }

    private Task<IReadOnlyList<WorkerView>> Listing()
    {
        lock (_lock)
            return _running is { IsCompleted: false } ? _running : _running = ListAsync();
    }

    private async Task<IReadOnlyList<WorkerView>> ListAsync()
    {
        // One listing that hangs would hold up all that come after it.
        IReadOnlyList<WorkerView> views = await storage.WaitBesideAsync(ReadAsync, CancellationToken.None);
        ClusterState? wishes = documents.State.Last?.Content;
        views = [.. views.Select(view => Wished(view, wishes))];
        lock (_lock)
        {
            _last = views;
            _takenAt = time.GetTimestamp();
            _taken = true;
            HashSet<string> listed = [.. views.Select(view => view.Report.Id)];
            foreach (string gone in _heard.Keys.Where(id => !listed.Contains(id)).ToList())
                _heard.Remove(gone);
        }
        Listed?.Invoke(views);
        return views;
    }

    private async Task<IReadOnlyList<WorkerView>> ReadAsync(CancellationToken cancellationToken)
    {
        Task state = ReadStateAsync(cancellationToken);
        IReadOnlyList<WorkerView> views = await heartbeats.ListAsync(cancellationToken);
        await state;
        return views;
    }

    /// <summary>Costs a request with each listing, and a download only where the state has changed.</summary>
    private async Task ReadStateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await documents.State.ReadAsync(cancellationToken);
        }
        catch (Exception e) when (e is StoreException or DocumentException)
        {
            LogStateNotRead(e);
        }
    }

    private static WorkerView Wished(WorkerView view, ClusterState? state) => state?.View(view) ?? view;

    private WorkerView Updated_NeedsLock(WorkerView view) =>
        _heard.TryGetValue(view.Report.Id, out var heard) && time.GetElapsedTime(heard.At) < view.Age
            ? view with { Report = view.Report with { SlotsUsed = heard.Used, SlotsTotal = heard.Total } }
            : view;

    private TimeSpan Age_NeedsLock() => _taken ? time.GetElapsedTime(_takenAt) : TimeSpan.MaxValue;

    private async Task LogFailureAsync(Task listing)
    {
        try
        {
            await listing;
        }
        catch (Exception e)
        {
            LogListingFailed(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The workers' heartbeats could not be listed; the last listing stays in use")]
    private partial void LogListingFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The cluster's state could not be read; the wishes known before stay in use")]
    private partial void LogStateNotRead(Exception exception);
}

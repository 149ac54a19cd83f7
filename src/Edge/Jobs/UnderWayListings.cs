using Azure;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Goes through all records for whoever asks what is under way. Of many records that takes longer than who asks may wait, so one listing is for all: it goes on without them, and those who
/// come meanwhile have the last one.
/// </summary>
internal sealed class UnderWayListings(JobRecordStore store, TimeProvider time)
{
    /// <summary>Storage from which nothing comes for so long is not listed any more: who asks next tries again.</summary>
    private static readonly TimeSpan Silence = StoragePatience.Long;

    private readonly Lock _lock = new();
    private Task<UnderWayListing>? _listing;
    private UnderWayListing? _last;

    /// <summary>The last one, unless it is too old: then a new one. Between the two it is still the last one, as the new one is on its way.</summary>
    /// <param name="cancellationToken">Ends the wait, and not the listing.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task<UnderWayListing> GetAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            TimeSpan age = _last is null ? TimeSpan.MaxValue : time.GetElapsedTime(_last.EndedAt);
            if (_last is not null && age < _last.UsableFor)
                return Task.FromResult(_last);
            if (_listing is null or { IsCompleted: true })
                _listing = ListAsync();
            return _last is not null && age < 2 * _last.UsableFor ? Task.FromResult(_last) : _listing.WaitAsync(cancellationToken);
        }
    }

    private async Task<UnderWayListing> ListAsync()
    {
        long begunAt = time.GetTimestamp();
        Dictionary<string, JobUnderWay> jobs = [];
        using CancellationTokenSource silence = new(Silence, time);
        try
        {
            await foreach (RecordItem item in store.ListAsync(silence.Token))
            {
                silence.CancelAfter(Silence);
                if (item.IsUnderWay)
                    jobs.Add(item.Id, new(item.Model, item.Tenant, item.Status == RecordStatus.Running) { SpreadOf = item.SpreadOf, WorkerId = item.WorkerId });
            }
        }
        catch (OperationCanceledException e)
        {
            throw new RequestFailedException("storage does not answer", e);
        }
        UnderWayListing listing = new(jobs, begunAt) { Took = time.GetElapsedTime(begunAt), EndedAt = time.GetTimestamp() };
        lock (_lock)
            _last = listing;
        return listing;
    }
}

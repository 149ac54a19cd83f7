using Microsoft.Extensions.Options;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Who may submit another background job. Counts what is under way by a listing of the records and by what this edge has taken on, let run and seen to end since: several edges may
/// together go beyond a bound by what they do until the next listing.
/// </summary>
internal sealed class BackgroundBacklog : IDisposable
{
    /// <summary>Seconds.</summary>
    private const int ShortestHold = 2;

    /// <summary>Seconds: what is done with the tenant's others may make room at any time.</summary>
    private const int LongestHold = 30;

    /// <summary>That a job runs is known here before its record says so, and a listing that is made in between has it still waiting.</summary>
    private static readonly TimeSpan WrittenWithin = TimeSpan.FromSeconds(2);

    private readonly UnderWayListings _listings;
    private readonly ActiveJobs _active;
    private readonly IOptions<BackgroundOptions> _options;
    private readonly IOptions<TenantOptions> _tenants;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly PlaceWaits _waits;

    /// <summary>What has become of jobs at this edge, and when; null: it has ended.</summary>
    private readonly Dictionary<string, (long At, JobUnderWay? Job)> _changes = [];

    /// <summary>Models of jobs that were seen to end since the last listing.</summary>
    private readonly List<string> _ended = [];

    private Dictionary<string, JobUnderWay> _underWay = [];
    private long? _listedAt;

    public BackgroundBacklog(
        UnderWayListings listings, ActiveJobs active, IOptions<BackgroundOptions> options, IOptions<TenantOptions> tenants, TimeProvider time)
    {
        _listings = listings;
        _active = active;
        _options = options;
        _tenants = tenants;
        _time = time;
        _waits = new(time);
        _active.Removed += Ended;
    }

    /// <summary>Counts the job in; or answers why it may not be submitted.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<JobError?> TakeInAsync(Job job, CancellationToken cancellationToken)
    {
        UnderWayListing listing = await _listings.GetAsync(cancellationToken);
        lock (_lock)
        {
            Adopt_NeedsLock(listing);
            if (Refusal_NeedsLock(job) is { } refusal)
                return refusal;
            Change_NeedsLock(job.Id, new(job.Model, job.Tenant, IsRunning: false));
            return null;
        }
    }

    /// <summary>Some tenant may have only so many running.</summary>
    public bool HasCaps => _tenants.Value.Limits.Values.Any(limits => limits.MaxInFlight is not null);

    /// <summary>
    /// Counts the job among those that run; or answers for how long it has to wait, as its tenant has as many running as it may. The more wait, the longer: each
    /// that comes up in vain costs a worker a look.
    /// </summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<TimeSpan?> HoldBackAsync(JobRecord record, CancellationToken cancellationToken)
    {
        if (_tenants.Value.Of(record.Tenant).MaxInFlight is not { } most)
            return null;
        UnderWayListing listing = await _listings.GetAsync(cancellationToken);
        lock (_lock)
        {
            Adopt_NeedsLock(listing);
            JobUnderWay[] others = [.. _underWay.Where(job => job.Key != record.Id && job.Value.Tenant == record.Tenant).Select(job => job.Value)];
            int running = others.Count(job => job.IsRunning);
            if (running >= most)
                return TimeSpan.FromSeconds(Math.Clamp((others.Length - running) / most, ShortestHold, LongestHold));
            Change_NeedsLock(record.Id, new(record.Model, record.Tenant, IsRunning: true));
            return null;
        }
    }

    /// <summary>
    /// Whether this worker may have the job of a strategy, whose jobs are to run on different ones, and counts it there; false: more of them are there than at one of the others.
    /// Several edges may let in one too many within a second.
    /// </summary>
    /// <param name="others">Workers that could run it, this one not among them.</param>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<bool> SpreadsAsync(JobRecord record, string workerId, IReadOnlyCollection<string> others, CancellationToken cancellationToken)
    {
        UnderWayListing listing = await _listings.GetAsync(cancellationToken);
        lock (_lock)
        {
            Adopt_NeedsLock(listing);
            int here = At(workerId);
            if (here > 0 && others.Any(other => At(other) < here))
                return false;
            Change_NeedsLock(record.Id, new(record.Model, record.Tenant, IsRunning: true) { SpreadOf = record.StrategyId, WorkerId = workerId });
            return true;
        }

        int At(string worker) => _underWay.Count(job => job.Key != record.Id && job.Value.SpreadOf == record.StrategyId && job.Value.WorkerId == worker);
    }

    public void Dispose() => _active.Removed -= Ended;

    private JobError? Refusal_NeedsLock(Job job)
    {
        int ofTenant = _underWay.Values.Count(other => other.Tenant == job.Tenant);
        if (ofTenant >= (_tenants.Value.Of(job.Tenant).MaxBackground ?? int.MaxValue))
        {
            return new JobError(JobErrorKind.OverLimit, $"too many jobs: {ofTenant} of tenant '{job.Tenant}' are under way already")
            {
                RetryAfter = _waits.Of(job.Model),
            };
        }
        int ofModel = _underWay.Values.Count(other => other.Model == job.Model);
        return ofModel < _options.Value.MaxBacklog ? null : new JobError(JobErrorKind.Busy, $"the server is busy: {ofModel} jobs for this model are under way already")
        {
            RetryAfter = _waits.Of(job.Model),
        };
    }

    private void Change_NeedsLock(string id, JobUnderWay job)
    {
        _underWay[id] = job;
        _changes[id] = (_time.GetTimestamp(), job);
    }

    private void Ended(string id)
    {
        lock (_lock)
        {
            if (!_underWay.Remove(id, out JobUnderWay job))
                return;
            _ended.Add(job.Model);
            _changes[id] = (_time.GetTimestamp(), null);
        }
    }

    private void Adopt_NeedsLock(UnderWayListing listing)
    {
        if (_listedAt >= listing.BegunAt)
            return;
        _listedAt = listing.BegunAt;
        Dictionary<string, JobUnderWay> underWay = new(listing.Jobs);
        foreach (var (id, (at, job)) in _changes)
        {
            if (at >= listing.BegunAt)
            {
                if (job is { } there)
                    underWay[id] = there;
                else
                    underWay.Remove(id);
            }
            else if (job is { IsRunning: true } taken && _time.GetElapsedTime(at, listing.BegunAt) < WrittenWithin && underWay.TryGetValue(id, out JobUnderWay listed) && !listed.IsRunning)
            {
                underWay[id] = taken;
            }
            else
            {
                _changes.Remove(id);
            }
        }
        _ended.AddRange(_underWay.Where(job => !underWay.ContainsKey(job.Key)).Select(job => job.Value.Model));
        _waits.Measure(_ended, underWay.Values.Select(job => job.Model).ToHashSet());
        _ended.Clear();
        _underWay = underWay;
    }
}

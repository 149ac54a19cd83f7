using Microsoft.Extensions.Options;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Who may submit another background job. Counts what is under way by a listing of the records and what this edge has taken on since: several edges may
/// together go beyond a bound by what they take on within a second.
/// </summary>
internal sealed class BackgroundBacklog(
    JobRecordStore store, IOptions<BackgroundOptions> options, IOptions<TenantOptions> tenants, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan ListingIsUsable = TimeSpan.FromSeconds(1);

    /// <summary>Until the first job is seen to end.</summary>
    private static readonly TimeSpan UnknownWait = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>Seconds.</summary>
    private const int ShortestHold = 2;

    /// <summary>Seconds: what is done with the tenant's others may make room at any time.</summary>
    private const int LongestHold = 30;

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly Dictionary<string, UnderWay> _underWay = [];
    private readonly Dictionary<string, TimeSpan> _waits = [];
    private long? _listedAt;

    /// <summary>Counts the job in; or answers why it may not be submitted.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<JobError?> TakeInAsync(Job job, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await ListIfStaleAsync(cancellationToken);
            if (Refusal(job) is { } refusal)
                return refusal;
            _underWay[job.Id] = new(job.Model, job.Tenant, IsRunning: false);
            return null;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Some tenant may have only so many running.</summary>
    public bool HasCaps => tenants.Value.Limits.Values.Any(limits => limits.MaxInFlight is not null);

    /// <summary>
    /// Counts the job among those that run; or answers for how long it has to wait, as its tenant has as many running as it may. The more wait, the longer: each
    /// that comes up in vain costs a worker a look.
    /// </summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<TimeSpan?> HoldBackAsync(JobRecord record, CancellationToken cancellationToken)
    {
        if (tenants.Value.Of(record.Tenant).MaxInFlight is not { } most)
            return null;
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await ListIfStaleAsync(cancellationToken);
            UnderWay[] others = [.. _underWay.Where(job => job.Key != record.Id && job.Value.Tenant == record.Tenant).Select(job => job.Value)];
            int running = others.Count(job => job.IsRunning);
            if (running >= most)
                return TimeSpan.FromSeconds(Math.Clamp((others.Length - running) / most, ShortestHold, LongestHold));
            _underWay[record.Id] = new(record.Model, record.Tenant, IsRunning: true);
            return null;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>
    /// Whether this worker may have the job of a strategy, whose jobs are to run on different ones, and counts it there; false: more of them are there than at one of the others.
    /// Several edges may let in one too many within a second.
    /// </summary>
    /// <param name="others">Workers that could run it now, this one not among them.</param>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<bool> SpreadsAsync(JobRecord record, string workerId, IReadOnlyCollection<string> others, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await ListIfStaleAsync(cancellationToken);
            int here = At(workerId);
            if (here > 0 && others.Any(other => At(other) < here))
                return false;
            _underWay[record.Id] = new(record.Model, record.Tenant, IsRunning: true) { SpreadOf = record.StrategyId, WorkerId = workerId };
            return true;
        }
        finally
        {
            _oneAtATime.Release();
        }

        int At(string worker) => _underWay.Count(job => job.Key != record.Id && job.Value.SpreadOf == record.StrategyId && job.Value.WorkerId == worker);
    }

    public void Dispose() => _oneAtATime.Dispose();

    private JobError? Refusal(Job job)
    {
        int ofTenant = _underWay.Values.Count(other => other.Tenant == job.Tenant);
        if (ofTenant >= (tenants.Value.Of(job.Tenant).MaxBackground ?? int.MaxValue))
        {
            return new JobError(JobErrorKind.OverLimit, $"too many jobs: {ofTenant} of tenant '{job.Tenant}' are under way already")
            {
                RetryAfter = WaitFor(job.Model),
            };
        }
        int ofModel = _underWay.Values.Count(other => other.Model == job.Model);
        return ofModel < options.Value.MaxBacklog ? null : new JobError(JobErrorKind.Busy, $"the server is busy: {ofModel} jobs for this model are under way already")
        {
            RetryAfter = WaitFor(job.Model),
        };
    }

    private TimeSpan WaitFor(string model) => _waits.GetValueOrDefault(model, UnknownWait);

    private async Task ListIfStaleAsync(CancellationToken cancellationToken)
    {
        if (_listedAt is { } at && time.GetElapsedTime(at) < ListingIsUsable)
            return;
        Dictionary<string, UnderWay> listed = [];
        await foreach (RecordItem item in store.ListAsync(cancellationToken))
        {
            if (item.Status is RecordStatus.Queued or RecordStatus.Running)
                listed.Add(item.Id, new(item.Model, item.Tenant, item.Status == RecordStatus.Running) { SpreadOf = item.SpreadOf, WorkerId = item.WorkerId });
        }
        if (_listedAt is { } before)
            Measure(listed, time.GetElapsedTime(before));
        _listedAt = time.GetTimestamp();
        _underWay.Clear();
        foreach (var (id, job) in listed)
            _underWay.Add(id, job);
    }

    /// <summary>Between two listings so many jobs of each model have come to their end: that often a place becomes free.</summary>
    private void Measure(Dictionary<string, UnderWay> listed, TimeSpan since)
    {
        foreach (var ended in _underWay.Where(job => !listed.ContainsKey(job.Key)).CountBy(job => job.Value.Model))
        {
            TimeSpan wait = since / ended.Value;
            _waits[ended.Key] = wait < LongestWait ? wait : LongestWait;
        }
    }

    private readonly record struct UnderWay(string Model, string Tenant, bool IsRunning)
    {
        public string? SpreadOf { get; init; }

        /// <summary>With <see cref="SpreadOf"/>: who runs it.</summary>
        public string? WorkerId { get; init; }
    }
}

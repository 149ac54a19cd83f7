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

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly Dictionary<string, (string Model, string Tenant)> _underWay = [];
    private readonly Dictionary<string, TimeSpan> _waits = [];
    private long? _listedAt;

    /// <summary>Counts the job in; or answers why it may not be submitted.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<JobError?> TakeInAsync(Job job, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (_listedAt is not { } at || time.GetElapsedTime(at) >= ListingIsUsable)
                await ListAsync(cancellationToken);
            if (Refusal(job) is { } refusal)
                return refusal;
            _underWay.Add(job.Id, (job.Model, job.Tenant));
            return null;
        }
        finally
        {
            _oneAtATime.Release();
        }
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

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, (string Model, string Tenant)> listed = [];
        await foreach (RecordItem item in store.ListAsync(cancellationToken))
        {
            if (item.Status is RecordStatus.Queued or RecordStatus.Running)
                listed.Add(item.Id, (item.Model, item.Tenant));
        }
        if (_listedAt is { } before)
            Measure(listed, time.GetElapsedTime(before));
        _listedAt = time.GetTimestamp();
        _underWay.Clear();
        foreach (var (id, job) in listed)
            _underWay.Add(id, job);
    }

    /// <summary>Between two listings so many jobs of each model have come to their end: that often a place becomes free.</summary>
    private void Measure(Dictionary<string, (string Model, string Tenant)> listed, TimeSpan since)
    {
        foreach (var ended in _underWay.Where(job => !listed.ContainsKey(job.Key)).CountBy(job => job.Value.Model))
        {
            TimeSpan wait = since / ended.Value;
            _waits[ended.Key] = wait < LongestWait ? wait : LongestWait;
        }
    }
}

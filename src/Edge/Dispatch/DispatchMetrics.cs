using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// Figures of the dispatch; all counted where it happens. Counters are observed: a series that is not there until something happens cannot tell that nothing has.
/// </summary>
public sealed class DispatchMetrics : IDisposable
{
    public const string MeterName = "OllamaMax.Dispatch";

    /// <summary>
    /// An edge that nobody asks lists no workers, and what it knew would stand beside what the leader knows for ever. The leader lists at every second tick at the latest, so its
    /// own figures never go.
    /// </summary>
    private const int ListingsMissed = 3;

    private readonly Meter _meter = new(MeterName);
    private readonly TimeProvider _time;
    private readonly TimeSpan _listingLasts;
    private readonly Histogram<double> _queueWait;
    private long _firstAttempts;
    private long _furtherAttempts;
    private readonly long[] _failedAttempts = new long[Enum.GetValues<AttemptFailure>().Length];
    private long _queued;
    private long _refused;
    private long _setAside;
    private int _running;
    private int _waiting;
    private int _slotsUsed;
    private int _slotsTotal;
    private volatile Listing? _last;

    public DispatchMetrics(IOptions<ClusterOptions> options, TimeProvider time)
    {
        (_time, _listingLasts) = (time, options.Value.ListEvery * ListingsMissed);
        _meter.CreateObservableCounter("ollamamax_attempts", ObserveAttempts, description: "Attempts issued to workers, by try: first, or further after one that died, hung or left");
        _meter.CreateObservableCounter("ollamamax_attempts_failed", ObserveFailures, description: "Attempts that did not come to the job's end, by reason: failed, lost, crashed, handed_back");
        _meter.CreateObservableCounter("ollamamax_jobs_queued", () => Interlocked.Read(ref _queued), description: "Jobs that went through a model's queue");
        _meter.CreateObservableCounter("ollamamax_jobs_refused", () => Interlocked.Read(ref _refused), description: "Jobs refused because the backlog was full");
        _meter.CreateObservableCounter("ollamamax_jobs_set_aside", () => Interlocked.Read(ref _setAside), description: "Requests and background jobs given up because they failed too often or killed their workers");
        _queueWait = _meter.CreateHistogram(
            "ollamamax_queue_wait",
            "s",
            "From a job's arrival to a worker's acceptance",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] });
        _meter.CreateObservableGauge("ollamamax_jobs_running", () => _running, description: "Jobs of this edge on a worker");
        _meter.CreateObservableGauge("ollamamax_jobs_waiting", () => _waiting, description: "Jobs of this edge in a queue");
        _meter.CreateObservableGauge("ollamamax_slots_used", () => ObserveSlots(_slotsUsed), description: "Busy slots of all workers that are not gone");
        _meter.CreateObservableGauge("ollamamax_slots", () => ObserveSlots(_slotsTotal), description: "Slots of all workers that are not gone");
        _meter.CreateObservableGauge("ollamamax_workers", ObserveWorkers, description: "Workers as listed not long ago, by state: alive, suspect, draining, gone");
    }

    /// <summary>Jobs of this edge in a queue, as last counted. (Meters are the whole process's: where several edges live in one, an exporter shows one of them.)</summary>
    public int Waiting => _waiting;

    internal bool HasSlotsUsed => _slotsUsed > 0;

    private Listing? Current => _last is { } listing && _time.GetElapsedTime(listing.TakenAt) < _listingLasts ? listing : null;

    internal void Attempt(bool isFirst) => Interlocked.Increment(ref isFirst ? ref _firstAttempts : ref _furtherAttempts);

    internal void Failed(AttemptFailure kind) => Interlocked.Increment(ref _failedAttempts[(int)kind]);

    internal void Queued() => Interlocked.Increment(ref _queued);

    internal void Refused() => Interlocked.Increment(ref _refused);

    internal void SetAside() => Interlocked.Increment(ref _setAside);

    internal void Accepted(TimeSpan wait) => _queueWait.Record(wait.TotalSeconds);

    internal void SetJobs(int running, int waiting) => (_running, _waiting) = (running, waiting);

    internal void SetSlots(int used, int total) => (_slotsUsed, _slotsTotal) = (used, total);

    internal void SetWorkers(IReadOnlyList<WorkerView> workers) => _last = new(workers.CountBy(worker => worker.State).ToDictionary(), _time.GetTimestamp());

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> ObserveAttempts() =>
    [
        new(Interlocked.Read(ref _firstAttempts), new KeyValuePair<string, object?>("try", "first")),
        new(Interlocked.Read(ref _furtherAttempts), new KeyValuePair<string, object?>("try", "further")),
    ];

    private IEnumerable<Measurement<long>> ObserveFailures() => Enum.GetValues<AttemptFailure>().Select(kind => new Measurement<long>(
        Interlocked.Read(ref _failedAttempts[(int)kind]), new KeyValuePair<string, object?>("reason", JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString()))));

    private IEnumerable<Measurement<int>> ObserveWorkers() => Current is { } listing
        ? Enum.GetValues<WorkerState>().Select(state => new Measurement<int>(
            listing.Workers.GetValueOrDefault(state), new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant())))
        : [];

    private IEnumerable<Measurement<int>> ObserveSlots(int slots) => Current is null ? [] : [new(slots)];

    private sealed record Listing(IReadOnlyDictionary<WorkerState, int> Workers, long TakenAt);
}

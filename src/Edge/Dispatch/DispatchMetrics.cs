using System.Diagnostics.Metrics;
using OllamaMax.Cluster;

namespace OllamaMax.Edge.Dispatch;

/// <summary>Figures of the dispatch; all counted where it happens.</summary>
public sealed class DispatchMetrics : IDisposable
{
    public const string MeterName = "OllamaMax.Dispatch";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _queued;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _setAside;
    private readonly Histogram<double> _queueWait;
    private int _running;
    private int _waiting;
    private int _slotsUsed;
    private int _slotsTotal;
    private IReadOnlyDictionary<WorkerState, int> _workers = new Dictionary<WorkerState, int>();

    public DispatchMetrics()
    {
        _attempts = _meter.CreateCounter<long>("ollamamax_attempts", description: "Attempts issued to workers, by try: first, or further after one that died, hung or left");
        _queued = _meter.CreateCounter<long>("ollamamax_jobs_queued", description: "Jobs that went through a model's queue");
        _refused = _meter.CreateCounter<long>("ollamamax_jobs_refused", description: "Jobs refused because the backlog was full");
        _setAside = _meter.CreateCounter<long>("ollamamax_jobs_set_aside", description: "Requests given up because they failed too often or killed their workers");
        _queueWait = _meter.CreateHistogram(
            "ollamamax_queue_wait",
            "s",
            "From a job's arrival to a worker's acceptance",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] });
        _meter.CreateObservableGauge("ollamamax_jobs_running", () => _running, description: "Jobs of this edge on a worker");
        _meter.CreateObservableGauge("ollamamax_jobs_waiting", () => _waiting, description: "Jobs of this edge in a queue");
        _meter.CreateObservableGauge("ollamamax_slots_used", () => _slotsUsed, description: "Busy slots of all workers that are not gone");
        _meter.CreateObservableGauge("ollamamax_slots", () => _slotsTotal, description: "Slots of all workers that are not gone");
        _meter.CreateObservableGauge("ollamamax_workers", ObserveWorkers, description: "Workers as last listed, by state: alive, suspect, draining, gone");
        // A series that is not there until something happens cannot tell that nothing has.
        _attempts.Add(0, First);
        _attempts.Add(0, Further);
        _queued.Add(0);
        _refused.Add(0);
        _setAside.Add(0);
    }

    private static KeyValuePair<string, object?> First => new("try", "first");

    private static KeyValuePair<string, object?> Further => new("try", "further");

    /// <summary>Jobs of this edge in a queue, as last counted. (Meters are the whole process's: where several edges live in one, an exporter shows one of them.)</summary>
    public int Waiting => _waiting;

    internal void Attempt(bool isFirst) => _attempts.Add(1, isFirst ? First : Further);

    internal void Queued() => _queued.Add(1);

    internal void Refused() => _refused.Add(1);

    internal void SetAside() => _setAside.Add(1);

    internal void Accepted(TimeSpan wait) => _queueWait.Record(wait.TotalSeconds);

    internal void SetJobs(int running, int waiting) => (_running, _waiting) = (running, waiting);

    internal void SetSlots(int used, int total) => (_slotsUsed, _slotsTotal) = (used, total);

    internal void SetWorkers(IReadOnlyList<WorkerView> workers) => _workers = workers.CountBy(worker => worker.State).ToDictionary();

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<int>> ObserveWorkers() =>
        Enum.GetValues<WorkerState>().Select(state => new Measurement<int>(
            _workers.GetValueOrDefault(state), new KeyValuePair<string, object?>("state", state.ToString().ToLowerInvariant())));
}

using System.Diagnostics.Metrics;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>Figures of the election and of what the leader does.</summary>
internal sealed class LeaderMetrics : IDisposable
{
    public const string MeterName = "OllamaMax.Leader";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _terms;
    private readonly Histogram<double> _passes;
    private readonly Counter<long> _orphans;
    private int _leads;
    private int _damagedUsage;
    private long _epoch;

    public LeaderMetrics()
    {
        _terms = _meter.CreateCounter<long>("ollamamax_leader_terms", description: "Times that this edge has become the leader");
        _passes = _meter.CreateHistogram(
            "ollamamax_reconcile",
            "s",
            "Passes of the leader's reconcilers, by name and outcome (done, refused, lost, failed)",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600] });
        _orphans = _meter.CreateCounter<long>("ollamamax_orphans_deleted", description: "Blobs and queues deleted because nobody needed them");
        _meter.CreateObservableGauge("ollamamax_leader", () => _leads, description: "1 where this edge leads");
        _meter.CreateObservableGauge("ollamamax_usage_damaged", () => _leads * _damagedUsage, description: "Documents of what was used that were damaged and lie aside, where this edge leads");
        _meter.CreateObservableGauge("ollamamax_epoch", () => Interlocked.Read(ref _epoch), description: "Epoch in which this edge has led last");
    }

    public void Leads(long? epoch)
    {
        bool isNew = epoch is { } now && Interlocked.Exchange(ref _epoch, now) != now;
        if (isNew)
            _terms.Add(1);
        _leads = epoch is null ? 0 : 1;
    }

    public void Passed(string reconciler, string outcome, TimeSpan took) =>
        _passes.Record(took.TotalSeconds, new KeyValuePair<string, object?>("reconciler", reconciler), new KeyValuePair<string, object?>("outcome", outcome));

    public void OrphanDeleted() => _orphans.Add(1);

    public void FoundDamagedUsage(int documents) => _damagedUsage = documents;

    public void Dispose() => _meter.Dispose();
}

namespace OllamaMax.Bench.Reporting;

/// <summary>Measured values of one kind, and what they come to (percentiles by nearest rank).</summary>
internal sealed class Samples
{
    private readonly Lock _lock = new();
    private readonly List<double> _values = [];

    public Samples(params IEnumerable<double> values) => _values.AddRange(values);

    public int Count
    {
        get
        {
            lock (_lock)
                return _values.Count;
        }
    }

    public double Median => At(0.5);

    public double P95 => At(0.95);

    public double P99 => At(0.99);

    public double Max => At(1);

    public void Add(double value)
    {
        lock (_lock)
            _values.Add(value);
    }

    /// <summary>In milliseconds.</summary>
    public void Add(TimeSpan value) => Add(value.TotalMilliseconds);

    /// <summary>Not a number where nothing was measured.</summary>
    public double At(double share)
    {
        lock (_lock)
        {
            if (_values.Count == 0)
                return double.NaN;
            double[] sorted = [.. _values.Order()];
            return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
        }
    }

    /// <summary>Count, fastest, p50, p95, p99, longest: the columns of <see cref="Table.OfTimes"/>.</summary>
    public double[] Times => [Count, At(0), Median, P95, P99, Max];
}

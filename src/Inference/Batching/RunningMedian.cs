namespace OllamaMax.Inference.Batching;

/// <summary>The median of the last <paramref name="window"/> values.</summary>
internal sealed class RunningMedian(int window)
{
    private readonly double[] _values = new double[window];
    private readonly double[] _sorted = new double[window];
    private int _count;

    public bool HasValue => _count > 0;

    /// <summary>There are as many values as it looks at: one that is far off does not count.</summary>
    public bool IsFull => _count >= window;

    public double Value { get; private set; }

    /// <summary>Forgets all values.</summary>
    public void Clear() => _count = 0;

    public void Add(double value)
    {
        _values[_count++ % window] = value;
        int filled = Math.Min(_count, window);
        if (_count == 2 * window)
            _count = window;
        _values.AsSpan(0, filled).CopyTo(_sorted);
        Array.Sort(_sorted, 0, filled);
        Value = _sorted[filled / 2];
    }
}

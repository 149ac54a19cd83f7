namespace OllamaMax.Inference.Batching;

/// <summary>The median of the last few values.</summary>
internal sealed class RunningMedian
{
    private const int Window = 9;

    private readonly double[] _values = new double[Window];
    private readonly double[] _sorted = new double[Window];
    private int _count;

    public bool HasValue => _count > 0;

    public double Value { get; private set; }

    public void Add(double value)
    {
        _values[_count++ % Window] = value;
        int filled = Math.Min(_count, Window);
        if (_count == 2 * Window)
            _count = Window;
        _values.AsSpan(0, filled).CopyTo(_sorted);
        Array.Sort(_sorted, 0, filled);
        Value = _sorted[filled / 2];
    }
}

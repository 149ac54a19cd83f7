namespace OllamaMax.GpuWorker.Health;

/// <summary>Tokens per second of busy time, all slots together, as measured since it was last asked.</summary>
internal sealed class TokenMeter(TimeProvider time)
{
    private readonly Lock _lock = new();
    private long _tokens;
    private int _active;
    private long _since;
    private TimeSpan _busy;
    private double? _last;

    /// <summary>The rate as last read.</summary>
    public double? Last
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    public void Enter()
    {
        lock (_lock)
        {
            if (_active++ == 0)
                _since = time.GetTimestamp();
        }
    }

    public void Exit()
    {
        lock (_lock)
        {
            if (--_active == 0)
                _busy += time.GetElapsedTime(_since);
        }
    }

    public void Token() => Interlocked.Increment(ref _tokens);

    /// <summary>The rate since the last call, or the one before where nothing ran; null before the first job.</summary>
    public double? Read()
    {
        lock (_lock)
        {
            if (_active > 0)
            {
                _busy += time.GetElapsedTime(_since);
                _since = time.GetTimestamp();
            }
            long tokens = Interlocked.Exchange(ref _tokens, 0);
            if (tokens > 0 && _busy > TimeSpan.Zero)
                _last = Math.Round(tokens / _busy.TotalSeconds, 1);
            _busy = TimeSpan.Zero;
            return _last;
        }
    }
}

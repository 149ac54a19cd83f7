namespace OllamaMax.GpuWorker.Health;

/// <summary>Tokens per second of busy time, as measured since it was last asked.</summary>
internal sealed class TokenMeter(TimeProvider time)
{
    private readonly Lock _lock = new();
    private long _tokens;
    private int _active;
    private long _since;
    private TimeSpan _busy;
    private TimeSpan _jobs;
    private TokenRates? _last;

    /// <summary>The rates as last read; null before the first job.</summary>
    public TokenRates? Last
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
            Measure_NeedsLock();
            _active++;
        }
    }

    public void Exit()
    {
        lock (_lock)
        {
            Measure_NeedsLock();
            _active--;
        }
    }

    public void Token() => Interlocked.Increment(ref _tokens);

    /// <summary>The rates since the last call, or those before where nothing ran; null before the first job.</summary>
    public TokenRates? Read()
    {
        lock (_lock)
        {
            Measure_NeedsLock();
            long tokens = Interlocked.Exchange(ref _tokens, 0);
            if (tokens > 0 && _busy > TimeSpan.Zero)
                _last = new(Math.Round(tokens / _busy.TotalSeconds, 1), Math.Round(tokens / _jobs.TotalSeconds, 1));
            _busy = _jobs = TimeSpan.Zero;
            return _last;
        }
    }

    private void Measure_NeedsLock()
    {
        TimeSpan passed = _active > 0 ? time.GetElapsedTime(_since) : TimeSpan.Zero;
        _since = time.GetTimestamp();
        _busy += passed;
        _jobs += passed * _active;
    }
}

/// <summary>Generated tokens per second.</summary>
/// <param name="Together">Of all jobs together, while any runs.</param>
/// <param name="Job">Of one of them, the reading of its prompt included: what a client gets.</param>
internal readonly record struct TokenRates(double Together, double Job);

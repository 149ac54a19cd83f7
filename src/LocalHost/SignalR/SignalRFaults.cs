namespace OllamaMax.LocalHost.SignalR;

/// <summary>The fault mode of a surface: off until <see cref="Options"/> say otherwise, and these can change at any time.</summary>
public sealed class SignalRFaults
{
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private SignalRFaultOptions _options = SignalRFaultOptions.None;
    private SignalRFaultCounts _counts = new();
    private Random _random = new(0);
    private long _second;
    private int _sendsInSecond;

    public SignalRFaults(TimeProvider time, SignalRFaultOptions? options = null)
    {
        _time = time;
        Options = options ?? SignalRFaultOptions.None;
    }

    /// <summary>Setting them starts the sequence of chance anew, from their seed, and the count of the current second.</summary>
    public SignalRFaultOptions Options
    {
        get
        {
            lock (_lock)
                return _options;
        }
        set
        {
            lock (_lock)
            {
                _options = value;
                _random = new(value.Seed);
                _sendsInSecond = 0;
            }
        }
    }

    /// <summary>What has been done so far, so that a test can tell that its faults did happen.</summary>
    public SignalRFaultCounts Counts
    {
        get
        {
            lock (_lock)
                return _counts;
        }
    }

    /// <summary>Decides about one send. Every send draws equally often, so that a sequence does not depend on which faults are on.</summary>
    internal FaultPlan Next()
    {
        lock (_lock)
        {
            if (ReferenceEquals(_options, SignalRFaultOptions.None))
                return default;
            double throttle = _random.NextDouble(), drop = _random.NextDouble(), twice = _random.NextDouble();
            double reorder = _random.NextDouble(), delay = _random.NextDouble();
            FaultPlan plan = throttle < _options.Throttle || IsAboveCap_NeedsLock()
                ? new() { RetryAfter = _options.RetryAfter }
                : new()
                {
                    Drop = drop < _options.Drop,
                    Duplicate = twice < _options.Duplicate,
                    HoldBack = reorder < _options.Reorder ? _options.HoldBack : null,
                    Delay = _options.MinDelay + delay * (_options.MaxDelay - _options.MinDelay),
                };
            _counts = _counts.And(plan);
            return plan;
        }
    }

    internal bool IsReconnectDue(int received)
    {
        lock (_lock)
        {
            bool due = _options.Reconnect > 0 && received >= _options.Reconnect;
            if (due)
                _counts = _counts with { Reconnects = _counts.Reconnects + 1 };
            return due;
        }
    }

    private bool IsAboveCap_NeedsLock()
    {
        if (_options.Cap == 0)
            return false;
        long second = _time.GetUtcNow().ToUnixTimeSeconds();
        if (second != _second)
            (_second, _sendsInSecond) = (second, 0);
        return ++_sendsInSecond > _options.Cap;
    }
}

namespace OllamaMax.Edge.Http;

/// <summary>
/// Time in which this process has answered requests, however many at once: what an instance of functions on demand is billed for, at least a second each time
/// (https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan#billing).
/// </summary>
internal sealed class BilledTime(TimeProvider time)
{
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private int _running;
    private long _since;
    private TimeSpan _ended;

    /// <summary>Until now.</summary>
    public long Milliseconds
    {
        get
        {
            lock (_lock)
                return (long)(_running > 0 ? _ended + Current_NeedsLock() : _ended).TotalMilliseconds;
        }
    }

    public void Begun()
    {
        lock (_lock)
        {
            if (_running++ == 0)
                _since = time.GetTimestamp();
        }
    }

    public void Ended()
    {
        lock (_lock)
        {
            if (--_running == 0)
                _ended += Current_NeedsLock();
        }
    }

    private TimeSpan Current_NeedsLock() => time.GetElapsedTime(_since) is var elapsed && elapsed > Least ? elapsed : Least;
}

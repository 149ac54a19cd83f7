namespace OllamaMax.Jobs.Owning;

/// <summary>
/// Whether an edge hears itself: it sends itself a message now and then, the way workers' messages come. Silence of a worker proves something
/// only while these arrive, and only when it is long beside the time that they take. A state machine without clock or I/O.
/// </summary>
public sealed class EchoWatch(OwnerOptions options)
{
    /// <summary>What is left of an old measurement with each new one.</summary>
    private const double Fading = 0.9;

    /// <summary>Round trips that silence has to last beyond its usual time.</summary>
    private const double RoundTrips = 3;

    private readonly Dictionary<long, TimeSpan> _underWay = [];
    private long _number;
    private TimeSpan _sentAt = TimeSpan.MinValue / 2;
    private TimeSpan _heardAt = TimeSpan.MinValue / 2;
    private TimeSpan _slowest;
    private int _unheard;

    /// <summary>How long a worker may be silent: longer when messages take long at the moment, as on a busy machine.</summary>
    public TimeSpan SilenceTimeout => options.SilenceTimeout + (_slowest * RoundTrips);

    /// <summary>Echoes heard so far.</summary>
    public long Count { get; private set; }

    /// <summary>Nothing was running before <paramref name="now"/>, and so nothing was sent: the wait for an echo begins here.</summary>
    public void Begin(TimeSpan now)
    {
        _heardAt = now;
        _unheard = 0;
        _underWay.Clear();
    }

    /// <summary>The number of the echo to send now; null when it is not time yet.</summary>
    public long? Send(TimeSpan now)
    {
        if (now - _sentAt < options.EchoInterval)
            return null;
        _sentAt = now;
        foreach (long lost in _underWay.Where(echo => now - echo.Value >= options.EchoTimeout).Select(echo => echo.Key).ToList())
            _underWay.Remove(lost);
        _underWay.Add(++_number, now);
        _unheard++;
        return _number;
    }

    public void Heard(long number, TimeSpan now)
    {
        _heardAt = now;
        _unheard = 0;
        Count++;
        if (!_underWay.Remove(number, out TimeSpan sentAt))
            return;
        TimeSpan faded = _slowest * Fading;
        _slowest = now - sentAt > faded ? now - sentAt : faded;
    }

    /// <summary>An echo came not long ago.</summary>
    public bool IsHearing(TimeSpan now) => now - _heardAt < options.EchoTimeout;

    /// <summary>None has come for so long. Counted by those that were sent: a process that stood still has sent none, and must not take that for the service's silence.</summary>
    public bool IsDeafFor(TimeSpan time) => _unheard * options.EchoInterval >= time;
}

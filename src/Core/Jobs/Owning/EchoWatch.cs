namespace OllamaMax.Jobs.Owning;

/// <summary>
/// Whether an edge hears itself: it sends itself a message now and then, the way workers' messages come. Silence of a worker proves something
/// only while these arrive. A state machine without clock or I/O.
/// </summary>
public sealed class EchoWatch(OwnerOptions options)
{
    private TimeSpan _sentAt = TimeSpan.MinValue / 2;
    private TimeSpan _heardAt = TimeSpan.MinValue / 2;

    /// <summary>Nothing was running before <paramref name="now"/>, and so nothing was sent: the wait for an echo begins here.</summary>
    public void Begin(TimeSpan now) => _heardAt = now;

    /// <summary>Whether it is time to send one; if so it counts as sent.</summary>
    public bool IsDue(TimeSpan now)
    {
        if (now - _sentAt < options.EchoInterval)
            return false;
        _sentAt = now;
        return true;
    }

    public void Heard(TimeSpan now) => _heardAt = now;

    /// <summary>An echo came not long ago.</summary>
    public bool IsHearing(TimeSpan now) => now - _heardAt < options.EchoTimeout;
}

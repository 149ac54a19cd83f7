namespace OllamaMax.Jobs.Owning;

/// <summary>When to nudge for a waiting job: soon at first, as a nudge may be lost, then less and less often.</summary>
internal sealed class NudgeSchedule(OwnerOptions options)
{
    private TimeSpan _interval;
    private TimeSpan _next;

    public void Start(TimeSpan now)
    {
        _interval = options.NudgeFirst;
        _next = now + _interval;
    }

    /// <summary>Whether it is time; if so the next time is twice as far away.</summary>
    public bool IsDue(TimeSpan now)
    {
        if (now < _next)
            return false;
        _interval = _interval * 2 < options.NudgeLongest ? _interval * 2 : options.NudgeLongest;
        _next = now + _interval;
        return true;
    }
}

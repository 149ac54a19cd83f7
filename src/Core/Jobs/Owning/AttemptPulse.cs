namespace OllamaMax.Jobs.Owning;

/// <summary>The running attempt's signs of life: when its worker was heard, and when its engine made a step.</summary>
internal sealed class AttemptPulse(OwnerOptions options)
{
    private TimeSpan _heardAt;
    private TimeSpan _steppedAt;
    private long? _steps;

    public void Begin(TimeSpan now)
    {
        _heardAt = _steppedAt = now;
        _steps = null;
    }

    public void Heard(TimeSpan now) => _heardAt = now;

    /// <summary>There is output: its engine works.</summary>
    public void Stepped(TimeSpan now) => _steppedAt = now;

    /// <param name="steps">A counter that stands still when the engine hangs; null: there is none at the moment.</param>
    /// <param name="now">The time.</param>
    public void Stepped(long? steps, TimeSpan now)
    {
        if (steps == _steps && steps is not null)
            return;
        _steps = steps;
        _steppedAt = now;
    }

    /// <summary>Until now nothing was heard of anybody: silence proves nothing.</summary>
    public void Excuse(TimeSpan now) => _heardAt = _steppedAt = now;

    /// <summary>Null while it lives.</summary>
    /// <param name="silenceTimeout">Longest that it may say nothing.</param>
    public string? WhyLost(string workerId, TimeSpan silenceTimeout, TimeSpan now)
    {
        if (now - _heardAt >= silenceTimeout)
            return $"worker {workerId} fell silent";
        return _steps is not null && now - _steppedAt >= options.StallTimeout ? $"the engine of worker {workerId} stood still" : null;
    }
}

namespace OllamaMax.GpuWorker.Health;

/// <summary>Whether an engine's step counter has stood still for too long. A state machine without a clock.</summary>
internal sealed class StallWatch(TimeSpan timeout)
{
    private long? _steps;
    private TimeSpan _changedAt;

    /// <param name="steps">Null while there is nothing to count, such as while a model is brought into memory.</param>
    public bool Hangs(long? steps, TimeSpan now)
    {
        if (steps is null || steps != _steps)
        {
            _steps = steps;
            _changedAt = now;
        }
        return now - _changedAt >= timeout;
    }
}

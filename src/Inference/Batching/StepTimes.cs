namespace OllamaMax.Inference.Batching;

/// <summary>What a step of answers takes, by how many tokens it has: measured, and estimated between what was measured. Used by the decode thread alone.</summary>
/// <param name="most">Most tokens of a step that it is told of.</param>
internal sealed class StepTimes(int most)
{
    // Steps until a time says nothing any more: contexts grow and end, and other programs come and go.
    private const int Outdated = 256;

    // Too few to be sure that none of them waited for the machine: until they are looked at again.
    private const int Unsure = 16;

    // Medians, because a step now and then waits for the machine.
    private readonly RunningMedian?[] _times = new RunningMedian?[most + 1];
    private readonly long[] _measured = new long[most + 1];
    private long _steps;

    /// <summary>Tells of a step that took this long.</summary>
    public void Add(int tokens, TimeSpan duration)
    {
        _steps++;
        if (tokens > most)
            return;
        RunningMedian times = _times[tokens] ??= new RunningMedian(3);
        if (_steps - _measured[tokens] > Outdated)
            times.Clear();
        times.Add(duration.TotalSeconds);
        _measured[tokens] = _steps;
    }

    /// <summary>Whether a step of so many tokens was measured lately.</summary>
    public bool Knows(int tokens) => tokens <= most && _times[tokens] is not null && !IsOutdated(tokens);

    /// <summary>Tokens of the longest step that was measured lately; 0: none was.</summary>
    public int Largest => Below(most + 1);

    /// <summary>Seconds that a step of so many tokens takes; as much as the next smaller one where nothing else is known.</summary>
    public double Estimate(int tokens)
    {
        if (Knows(tokens))
            return Time(tokens);
        int below = Below(tokens), above = Above(tokens);
        if (above > most)
            (below, above) = (Below(below), below);
        if (below == 0)
            return above == 0 ? 0 : Time(above);
        double slope = Math.Max(0, Time(above) - Time(below)) / (above - below);
        return Time(above) + (slope * (tokens - above));
    }

    private double Time(int tokens) => _times[tokens]!.Value;

    private bool IsOutdated(int tokens) => _steps - _measured[tokens] > (_times[tokens]!.IsFull ? Outdated : Unsure);

    private int Below(int tokens)
    {
        do
            tokens--;
        while (tokens > 0 && !Knows(tokens));
        return Math.Max(tokens, 0);
    }

    private int Above(int tokens)
    {
        do
            tokens++;
        while (tokens <= most && !Knows(tokens));
        return tokens;
    }
}

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Chooses how many tokens of prompts to read beside running answers, so that a step takes about twice as long as one of answers alone. Both costs are
/// measured: a step of answers alone, and what a token of a prompt adds to it. Medians, because a step now and then waits for the machine.
/// </summary>
internal sealed class PromptPacing
{
    private readonly int _minimum;
    private readonly int _maximum;
    private readonly RunningMedian _alone = new();
    private readonly RunningMedian _perToken = new();
    private int _last;

    /// <param name="minimum">Tokens in any case, so that prompts come on; what it begins with.</param>
    /// <param name="maximum">Most tokens; at least <paramref name="minimum"/>.</param>
    public PromptPacing(int minimum, int maximum)
    {
        _minimum = minimum;
        _maximum = maximum;
        _last = minimum;
        Tokens = minimum;
    }

    /// <summary>Tokens of prompts for the next step that has answers in it.</summary>
    public int Tokens { get; private set; }

    /// <summary>Tells of a step that took this long.</summary>
    /// <param name="answers">Jobs that got their next token in it.</param>
    /// <param name="promptTokens">Tokens of prompts in it.</param>
    /// <param name="duration">What it took.</param>
    public void Add(int answers, int promptTokens, TimeSpan duration)
    {
        if (answers == 0)
            return;
        if (promptTokens == 0)
        {
            _alone.Add(duration.TotalSeconds);
        }
        else if (_alone.HasValue)
        {
            _perToken.Add(Math.Max(0, duration.TotalSeconds - _alone.Value) / promptTokens);
            _last = promptTokens;
        }
        Tokens = Choose();
    }

    private int Choose()
    {
        if (!_alone.HasValue || !_perToken.HasValue)
            return _minimum;
        double fit = _alone.Value / Math.Max(_perToken.Value, double.Epsilon);
        // A cost that was measured on few tokens says little about many.
        double trusted = Math.Min(fit, 2.0 * Math.Max(_last, _minimum));
        return (int)Math.Clamp(trusted, _minimum, _maximum);
    }
}

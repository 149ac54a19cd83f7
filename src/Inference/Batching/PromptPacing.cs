namespace OllamaMax.Inference.Batching;

/// <summary>
/// Chooses how many tokens of prompts to read beside running answers, so that a step takes not quite twice as long as one of answers alone, up to three times
/// where more prompts wait than answers run: those who wait are many then. Answers grow while a long prompt is read, and their own steps with them; the prompt makes
/// up for it, down to a quarter of a step. Both costs are measured: a step of answers alone, and what a token of a prompt adds to it. Medians, because a step now and then
/// waits for the machine.
/// </summary>
/// <param name="first">Tokens while nothing is measured.</param>
/// <param name="maximum">Most tokens.</param>
internal sealed class PromptPacing(int first, int maximum)
{
    // Of a step of answers alone: what prompts take beside it.
    private const double Least = 0.25;
    // The longest step is half as long again as most, on a machine that has other things to do: less than three times, then.
    private const double Usually = 0.8;
    private const double Most = 2;

    /// <summary>
    /// So often a step has answers alone: what it takes grows with every token in memory. Counted on the few tokens beside them, that would slow prompts
    /// until they hardly come on.
    /// </summary>
    private const int AloneEvery = 16;

    // A step with prompts in it that takes less than this much of one without was no longer measured on such answers; less than that the machine may do.
    private const double Outdated = 0.8;

    private readonly RunningMedian _alone = new(3);
    private readonly RunningMedian _perToken = new(5);

    // What answers alone took when no prompt was waiting; 0 where that was never.
    private double _usual;
    private int _aloneAnswers;
    private int _last;
    private int _sinceAlone;

    /// <summary>Tokens of prompts for the next step that has answers in it; 0 where it shows what answers alone take.</summary>
    /// <param name="answers">Jobs that get their next token in it.</param>
    /// <param name="prompts">Jobs whose prompts are not read yet.</param>
    public int Tokens(int answers, int prompts)
    {
        if (prompts == 0)
            _usual = _alone.HasValue ? _alone.Value : 0;
        if (_sinceAlone >= AloneEvery)
            return 0;
        if (!_alone.HasValue || !_perToken.HasValue)
            return Math.Min(first, maximum);
        double fit = Beside(answers, prompts) / Math.Max(_perToken.Value, double.Epsilon);
        // A cost that was measured on few tokens says little about many.
        double trusted = Math.Min(fit, 2.0 * Math.Max(_last, first));
        return (int)Math.Clamp(trusted, 1, maximum);
    }

    /// <summary>How long prompts may be read after the next step that has answers in it, where they are read apart from these; zero before a step of answers alone was measured.</summary>
    /// <inheritdoc cref="Tokens"/>
    public TimeSpan Slice(int answers, int prompts) => _alone.HasValue ? TimeSpan.FromSeconds(Beside(answers, prompts)) : TimeSpan.Zero;

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
            _sinceAlone = 0;
            _alone.Add(duration.TotalSeconds);
            _aloneAnswers = answers;
            return;
        }
        _sinceAlone++;
        if (!_alone.HasValue)
            return;
        // Fewer answers take less, at best in proportion: what they no longer take would make tokens look cheap, and a later prompt would begin with far too many.
        double alone = _alone.Value * Math.Min(1, (double)answers / _aloneAnswers);
        if (duration.TotalSeconds < Outdated * alone)
        {
            // Others run than when it was measured. What a token adds is not known from this step, and it is not nothing.
            Forget();
            return;
        }
        _perToken.Add(Math.Max(0, duration.TotalSeconds - alone) / promptTokens);
        _last = promptTokens;
    }

    /// <summary>What answers alone take is not known any more: the next step that prompts wait beside shows it.</summary>
    public void Forget()
    {
        _alone.Clear();
        _sinceAlone = AloneEvery;
    }

    // Seconds.
    private double Beside(int answers, int prompts)
    {
        double crowd = (double)prompts / answers, alone = _alone.Value;
        double most = Math.Clamp(crowd, Usually, Most) * alone, least = Math.Clamp(crowd, Least, Most) * alone;
        double unfelt = _usual > 0 ? ((1 + Usually) * _usual) - alone : most;
        return Math.Max(Math.Min(most, unfelt), least);
    }
}

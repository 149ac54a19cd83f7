namespace OllamaMax.Inference.Batching;

/// <summary>
/// Chooses how many tokens of prompts to read beside running answers, so that a step takes about two and a half times as long as one of answers alone, up to three times
/// where more prompts wait than answers run: those who wait are many then. Answers grow while a long prompt is read, and their own steps with them; the prompt makes
/// up for it, down to half of a step. Both costs are measured: a step of answers alone, and what a token of a prompt adds to it. Medians, because a step now and then
/// waits for the machine.
/// </summary>
/// <param name="first">Tokens while nothing is measured.</param>
/// <param name="maximum">Most tokens.</param>
internal sealed class PromptPacing(int first, int maximum)
{
    // Of a step of answers alone: what prompts take beside it.
    private const double Least = 0.5;
    private const double Usually = 1.5;
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
        double crowd = (double)prompts / answers, alone = _alone.Value;
        double most = Math.Clamp(crowd, Usually, Most) * alone, least = Math.Clamp(crowd, Least, Most) * alone;
        double unfelt = _usual > 0 ? ((1 + Usually) * _usual) - alone : most;
        double fit = Math.Max(Math.Min(most, unfelt), least) / Math.Max(_perToken.Value, double.Epsilon);
        // A cost that was measured on few tokens says little about many.
        double trusted = Math.Min(fit, 2.0 * Math.Max(_last, first));
        return (int)Math.Clamp(trusted, 1, maximum);
    }

    /// <summary>Tells of tokens of a prompt that were read after a step, apart from its answers.</summary>
    /// <param name="answers">Jobs that got their next token in the step.</param>
    /// <param name="promptTokens">Tokens read.</param>
    /// <param name="duration">What reading them took.</param>
    public void AddApart(int answers, int promptTokens, TimeSpan duration)
    {
        if (answers == 0)
            return;
        _perToken.Add(duration.TotalSeconds / promptTokens);
        _last = promptTokens;
    }

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
            // Others run than when it was measured. What a token adds is not known from this step, and it is not nothing: the next one has answers alone.
            _alone.Clear();
            _sinceAlone = AloneEvery;
            return;
        }
        _perToken.Add(Math.Max(0, duration.TotalSeconds - alone) / promptTokens);
        _last = promptTokens;
    }
}

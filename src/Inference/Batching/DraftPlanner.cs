namespace OllamaMax.Inference.Batching;

/// <summary>
/// Decides how many guessed tokens go into a step of answers (speculative decoding: Leviathan et al., 2023). Each is decoded beside the answer's next token as if it had been chosen already; if it is
/// chosen indeed, the step has brought one token more. That costs little where a step waits for memory, as on a GPU, and much where it computes, so both are measured: how often guesses
/// are right, and what a step of so many tokens takes. As many are taken as make most tokens a second. Used by the decode thread alone.
/// </summary>
/// <param name="most">Most guessed tokens of an answer in a step; 0: none.</param>
internal sealed class DraftPlanner(int most)
{
    /// <summary>Tokens of a step, guessed ones included: from there on every machine computes.</summary>
    internal const int MostTokens = 64;

    // What they bring at least, for steps to get less even.
    private const double Worth = 1.05;

    // A step with them beside one without, for those whose tokens nobody guesses. As long as prompts make it.
    private const double Bearable = 1.8;

    // The same where there is one answer: who comes, or cancels, waits for the step's end.
    private const double BearableAlone = 4;

    private readonly StepTimes _times = new(MostTokens);
    private readonly PriorityQueue<(int Answer, int Left, double Likely), double> _guesses = new();
    private readonly List<int> _order = [];
    private readonly int[] _counts = new int[MostTokens];
    private bool _isOff = most == 0;

    /// <summary>No more of them.</summary>
    public void TurnOff() => _isOff = true;

    /// <summary>Tells of a step that had answers alone.</summary>
    /// <param name="tokens">Of it, guessed ones included.</param>
    /// <param name="duration">What it took.</param>
    public void Add(int tokens, TimeSpan duration)
    {
        if (!_isOff)
            _times.Add(tokens, duration);
    }

    /// <param name="answers">Jobs that get their next token in the step.</param>
    /// <param name="room">Tokens that the step may have beside these.</param>
    /// <returns>How many guessed tokens each of them gets; empty: none gets any. Valid until the next call.</returns>
    public ReadOnlySpan<int> Plan(IReadOnlyList<EngineJob> answers, int room)
    {
        if (_isOff || !_times.Knows(answers.Count))
            return [];
        // Times that were measured on few tokens say little about many.
        int trusted = Math.Max(1, 2 * (_times.Largest - answers.Count));
        int count = Best(answers, Math.Min(trusted, Math.Min(room, MostTokens - answers.Count)));
        if (count == 0)
            return [];
        Span<int> counts = _counts.AsSpan(0, answers.Count);
        counts.Clear();
        for (int i = 0; i < count; i++)
            counts[_order[i]]++;
        return counts;
    }

    // The likeliest guess first, of whichever answer; then as many of them as are worth it.
    private int Best(IReadOnlyList<EngineJob> answers, int atMost)
    {
        _order.Clear();
        _guesses.Clear();
        for (int i = 0; i < answers.Count; i++)
            Offer(i, Math.Min(answers[i].Guess.Length, most), answers[i].GuessReliability);
        double alone = _times.Estimate(answers.Count), expected = answers.Count;
        double best = Worth * expected / alone;
        int count = 0;
        while (_order.Count < atMost && _guesses.TryDequeue(out (int Answer, int Left, double Likely) guess, out _))
        {
            _order.Add(guess.Answer);
            expected += guess.Likely;
            double time = _times.Estimate(answers.Count + _order.Count);
            if (time > (answers.Count > 1 ? Bearable : BearableAlone) * alone)
                break;
            if (expected / time > best)
                (best, count) = (expected / time, _order.Count);
            // One behind a wrong one is worth nothing.
            Offer(guess.Answer, guess.Left - 1, guess.Likely * answers[guess.Answer].GuessReliability);
        }
        return count;
    }

    private void Offer(int answer, int left, double likely)
    {
        if (left > 0)
            _guesses.Enqueue((answer, left, likely), -likely);
    }
}

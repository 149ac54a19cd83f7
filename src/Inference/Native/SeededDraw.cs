namespace OllamaMax.Inference.Native;

/// <summary>Draws from candidates by a number that is a function of seed and position.</summary>
internal static class SeededDraw
{
    /// <summary>
    /// In [0, 1). A counter-based generator: the output function of SplitMix64 (Steele, Lea, Flood 2014,
    /// https://doi.org/10.1145/2714064.2660195) over the seed, then over the position.
    /// </summary>
    /// <param name="seed">The job's.</param>
    /// <param name="position">The token's, in the answer.</param>
    /// <param name="draw">0 for the first number at a position, 1 for a second one that has nothing to do with it.</param>
    public static double Uniform(ulong seed, int position, int draw = 0)
    {
        ulong state = Mix(Mix(seed) + (ulong)(uint)position);
        for (; draw > 0; draw--)
            state = Mix(state);
        return (state >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>
    /// The token at <paramref name="uniform"/> of the candidates' softmax. They are laid side by side by token id, not by
    /// likelihood: two that are nearly as likely would change places with the last bit of a logit, and the draw with them.
    /// </summary>
    /// <exception cref="NativeException">No candidate is possible.</exception>
    public static int Pick(Span<Candidate> candidates, double uniform)
    {
        float highest = float.NegativeInfinity;
        foreach (Candidate candidate in candidates)
            highest = Math.Max(highest, candidate.Logit);
        if (!float.IsFinite(highest))
            throw new NativeException("The samplers left no token to choose from.");

        if (!IsByToken(candidates))
            candidates.Sort(static (a, b) => a.Token.CompareTo(b.Token));
        double sum = 0;
        foreach (Candidate candidate in candidates)
            sum += Math.Exp((double)candidate.Logit - highest);

        double rest = uniform * sum;
        int last = candidates[0].Token;
        foreach (Candidate candidate in candidates)
        {
            double weight = Math.Exp((double)candidate.Logit - highest);
            if (weight == 0)
                continue;
            last = candidate.Token;
            if (rest < weight)
                return last;
            rest -= weight;
        }
        return last;
    }

    private static bool IsByToken(ReadOnlySpan<Candidate> candidates)
    {
        for (int i = 1; i < candidates.Length; i++)
        {
            if (candidates[i].Token < candidates[i - 1].Token)
                return false;
        }
        return true;
    }

    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}

namespace OllamaMax.Inference.Native;

/// <summary>
/// Keeps how surprising tokens are near a target (Basu et al. 2020, https://arxiv.org/abs/2007.14966). The formulas are those of llama.cpp,
/// the draw is made in <see cref="SeededDraw"/>. Its state, mu, begins at twice the target, for a continued answer as well.
/// </summary>
internal sealed class Mirostat(SamplerConfig config, Candidate[] candidates)
{
    /// <summary>Tokens that version 1 estimates the distribution's exponent from.</summary>
    private const int Estimated = 100;

    private double _mu = 2 * config.Options.MirostatTau;
    private double _surprise;

    private float Temperature => config.Options.Temperature;

    /// <exception cref="NativeException">No token is possible.</exception>
    public int Sample(ReadOnlySpan<float> logits, double uniform)
    {
        float highest = Logits.Of(logits).Highest;
        if (float.IsNegativeInfinity(highest))
            throw new NativeException("The model computed no token to choose from.");
        int count = config.Options.Mirostat == 1 ? Cut(logits) : CutBySurprise(logits, highest);
        Span<Candidate> left = candidates.AsSpan(0, count);
        double sum = 0;
        foreach (ref Candidate candidate in left)
        {
            candidate.Logit = (candidate.Logit - highest) / Temperature;
            sum += Math.Exp(candidate.Logit);
        }
        int token = SeededDraw.Pick(left, uniform);
        _surprise = -Math.Log2(Math.Exp((logits[token] - highest) / Temperature) / sum);
        return token;
    }

    /// <summary>The token last sampled is the answer's: steers by how surprising it was.</summary>
    public void Learn() => _mu -= config.Options.MirostatEta * (_surprise - config.Options.MirostatTau);

    // Version 1: the k likeliest, where k would have the target's surprise if probabilities fell as Zipf's law has it.
    private int Cut(ReadOnlySpan<float> logits)
    {
        int count = Logits.Of(logits).Top(candidates.AsSpan(0, Math.Min(Estimated, candidates.Length)));
        double sumTB = 0, sumTT = 0;
        for (int i = 0; i + 1 < count; i++)
        {
            double t = Math.Log((i + 2.0) / (i + 1));
            sumTB += t * (candidates[i].Logit - candidates[i + 1].Logit) / Temperature;
            sumTT += t * t;
        }
        double exponent = sumTB / sumTT, epsilon = exponent - 1;
        double k = Math.Pow(epsilon * Math.Pow(2, _mu) / (1 - Math.Pow(logits.Length, -epsilon)), 1 / exponent);
        int cut = double.IsNaN(k) ? 1 : (int)Math.Clamp(k, 1, logits.Length);
        return cut <= count ? cut : Logits.Of(logits).Top(candidates.AsSpan(0, cut));
    }

    // Version 2: all that are less surprising than mu; the likeliest in any case.
    private int CutBySurprise(ReadOnlySpan<float> logits, float highest)
    {
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp((logit - highest) / Temperature);
        double least = highest + (Temperature * (Math.Log(sum) - (_mu * Math.Log(2))));
        int count = 0;
        for (int token = 0; token < logits.Length; token++)
        {
            if (logits[token] >= least && !float.IsNegativeInfinity(logits[token]))
                candidates[count++] = new Candidate { Token = token, Logit = logits[token] };
        }
        if (count == 0)
            candidates[count++] = new Candidate { Token = logits.IndexOf(highest), Logit = highest };
        return count;
    }
}

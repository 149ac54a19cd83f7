using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native;

/// <summary>
/// The part of sampling that both natives share: candidates in, the native's filters applied, one token drawn.
/// </summary>
internal abstract class SamplingChain : INativeSampler
{
    private readonly SamplerConfig _config;
    private readonly int _vocabularySize;
    private readonly Candidate[] _candidates;
    private readonly HashSet<int> _seen = [];
    private readonly List<Candidate> _penalized = [];

    protected SamplingChain(SamplerConfig config, int vocabularySize)
    {
        if (config.Error() is { } error)
            throw new ArgumentOutOfRangeException(nameof(config), error);
        _config = config;
        _vocabularySize = vocabularySize;
        _candidates = new Candidate[vocabularySize];
    }

    public void Accept(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, _vocabularySize);
        if (!_config.HasPenalties)
            return;
        _seen.Add(token);
        AcceptPenalized(token);
    }

    public int Sample(ReadOnlySpan<float> logits, int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, _vocabularySize);
        Fill(logits);
        if (_config.HasPenalties)
            Penalize();
        if (_config.IsGreedy)
            return Likeliest();
        int left = Filter(_candidates);
        return SeededDraw.Pick(_candidates.AsSpan(0, left), SeededDraw.Uniform(_config.Seed, position));
    }

    public abstract void Dispose();

    /// <summary>Tells the native's penalties of a token.</summary>
    protected abstract void AcceptPenalized(int token);

    /// <summary>Applies the native's penalties to the logits of <paramref name="candidates"/>.</summary>
    protected abstract void Penalize(Span<Candidate> candidates);

    /// <summary>Applies top_k, top_p, min_p and temperature.</summary>
    /// <returns>How many are left, at the beginning.</returns>
    protected abstract int Filter(Span<Candidate> candidates);

    private void Fill(ReadOnlySpan<float> logits)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            // Sorting with NaN among them is undefined in the native samplers.
            if (float.IsNaN(logits[i]) || float.IsPositiveInfinity(logits[i]))
                throw new NativeException($"The model computed {logits[i]} for token {i}: its weights are broken.");
            _candidates[i] = new Candidate { Token = i, Logit = logits[i] };
        }
    }

    // Only the tokens that were seen: looking up a whole vocabulary of 150,000 costs a millisecond a token.
    private void Penalize()
    {
        _penalized.Clear();
        foreach (int token in _seen)
            _penalized.Add(_candidates[token]);
        Span<Candidate> penalized = CollectionsMarshal.AsSpan(_penalized);
        Penalize(penalized);
        foreach (Candidate candidate in penalized)
            _candidates[candidate.Token] = candidate;
    }

    private int Likeliest()
    {
        int best = 0;
        for (int i = 1; i < _candidates.Length; i++)
        {
            if (_candidates[i].Logit > _candidates[best].Logit)
                best = i;
        }
        if (float.IsNegativeInfinity(_candidates[best].Logit))
            throw new NativeException("The model computed no token to choose from.");
        return best;
    }
}

using OllamaMax.Inference.Native.Grammars;

namespace OllamaMax.Inference.Native;

/// <summary>
/// The part of sampling that both natives share: bias, penalties, the likeliest tokens of a vocabulary, then the native's filters, one token
/// drawn, and the grammar's say in it. The order is llama.cpp's. Nothing is allocated for a token.
/// </summary>
internal abstract class SamplingChain : INativeSampler
{
    /// <summary>At and below this a bias forbids its token.</summary>
    private const float Forbidding = -100;

    /// <summary>Tokens, at least, that a grammar is asked about one by one.</summary>
    private const int LeastLikeliest = 512;

    private readonly SamplerConfig _config;
    private readonly int _vocabularySize;
    private readonly Candidate[] _candidates;
    private readonly Penalties? _penalties;
    private readonly Mirostat? _mirostat;
    private readonly GrammarGuide? _grammar;
    private readonly (int Token, float Bias)[] _bias;
    private float[]? _changed;
    private Candidate[]? _likeliest;

    protected SamplingChain(SamplerConfig config, TokenTable tokens)
    {
        _vocabularySize = tokens.Size;
        if (config.Error(_vocabularySize) is { } error)
            throw new ArgumentOutOfRangeException(nameof(config), error);
        _config = config;
        _candidates = config.IsGreedy ? [] : new Candidate[config.CandidateCount(_vocabularySize)];
        _penalties = config.HasPenalties ? new Penalties(config) : null;
        _mirostat = config.IsMirostat ? new Mirostat(config, _candidates) : null;
        _grammar = config.Grammar is { } grammar ? new GrammarGuide(grammar, tokens) : null;
        _bias = [.. config.Options.LogitBias.Select(static bias => (bias.Key, bias.Value))];
    }

    public bool Accept(int token, bool isAnswer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, _vocabularySize);
        if (isAnswer && _grammar is not null && !_grammar.TryAccept(token))
            return false;
        _penalties?.Accept(token);
        return true;
    }

    public int Sample(ReadOnlySpan<float> logits, int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, _vocabularySize);
        ReadOnlySpan<float> changed = Change(logits);
        int token = Choose(changed, SeededDraw.Uniform(_config.Seed, position));
        _grammar?.BeginToken();
        // Mostly the model keeps to the grammar by itself: other tokens are looked at only when it does not. The second number
        // has nothing to do with the first, or what was refused would decide what comes instead.
        if (_grammar is not null && !_grammar.Allows(token))
            token = ChooseAllowed(changed, SeededDraw.Uniform(_config.Seed, position, draw: 1));
        _mirostat?.Learn();
        return token;
    }

    public abstract void Dispose();

    /// <summary>Applies typical_p, top_p, min_p and temperature, in this order.</summary>
    /// <param name="candidates">The top_k likeliest, none of them impossible.</param>
    /// <param name="isSorted">The likeliest come first.</param>
    /// <returns>How many are left, at the beginning.</returns>
    protected abstract int Filter(Span<Candidate> candidates, bool isSorted);

    private int Choose(ReadOnlySpan<float> logits, double uniform)
    {
        if (_config.IsGreedy)
            return Logits.Of(logits).Likeliest;
        if (_mirostat is not null)
            return _mirostat.Sample(logits, uniform);
        bool isCut = _candidates.Length < logits.Length;
        int count = isCut ? Logits.Of(logits).Top(_candidates) : TakeAll(logits);
        if (count == 0)
            throw new NativeException("The model computed no token to choose from.");
        return Draw(_candidates.AsSpan(0, count), isCut, uniform);
    }

    // The likeliest that the grammar allows are mostly among the likeliest of all, so these are asked first, one by one. Where too
    // few of them fit, the grammar is narrow, and the whole vocabulary is soon gone through.
    private int ChooseAllowed(ReadOnlySpan<float> logits, double uniform)
    {
        int wanted = _config.IsGreedy ? 1 : _candidates.Length;
        if (_mirostat is null && wanted < logits.Length)
        {
            _likeliest ??= new Candidate[Math.Min(logits.Length, Math.Max(LeastLikeliest, 8 * wanted))];
            int count = Logits.Of(logits).Top(_likeliest);
            int kept = _grammar!.Keep(_likeliest.AsSpan(0, count), wanted);
            if (kept == wanted)
                return _config.IsGreedy ? _likeliest[0].Token : Draw(_likeliest.AsSpan(0, kept), isSorted: true, uniform);
        }
        return Choose(Forbid(logits), uniform);
    }

    private int Draw(Span<Candidate> candidates, bool isSorted, double uniform)
    {
        if (isSorted)
            candidates = candidates[..CountDrawable(candidates)];
        int left = Filter(candidates, isSorted);
        return SeededDraw.Pick(candidates[..left], uniform);
    }

    private int CountDrawable(ReadOnlySpan<Candidate> sorted)
    {
        float least = LeastLogit(sorted[0].Logit);
        int count = sorted.Length;
        while (sorted[count - 1].Logit < least)
            count--;
        return count;
    }

    private int TakeAll(ReadOnlySpan<float> logits)
    {
        float least = LeastLogit(Logits.Of(logits).Highest);
        int count = 0;
        for (int token = 0; token < logits.Length; token++)
        {
            if (logits[token] >= least && logits[token] > float.NegativeInfinity)
                _candidates[count++] = new Candidate { Token = token, Logit = logits[token] };
        }
        return count;
    }

    // What is a billion billion billion times less likely is never drawn. It goes first, as its probability would be 0 in
    // single precision, and make NaN of the entropy in typical_p, which comes before the temperature.
    private float LeastLogit(float highest) =>
        highest - (80 * (_config.Options.TypicalP < 1 ? 1 : Math.Max(1, _config.Options.Temperature)));

    private ReadOnlySpan<float> Change(ReadOnlySpan<float> logits)
    {
        if (_bias.Length == 0 && _penalties is null)
            return logits;
        Span<float> changed = Changeable(logits);
        foreach ((int token, float bias) in _bias)
            changed[token] = bias <= Forbidding ? float.NegativeInfinity : changed[token] + bias;
        _penalties?.Apply(changed);
        return changed;
    }

    private ReadOnlySpan<float> Forbid(ReadOnlySpan<float> logits)
    {
        Span<float> changed = Changeable(logits);
        _grammar!.Forbid(changed);
        return changed;
    }

    // The model's own stay as they are: others read them too.
    private Span<float> Changeable(ReadOnlySpan<float> logits)
    {
        _changed ??= new float[_vocabularySize];
        if (logits != _changed)
            logits.CopyTo(_changed);
        return _changed;
    }
}

namespace OllamaMax.Inference.Native.Grammars;

/// <summary>Keeps one answer to its grammar: which tokens may come next.</summary>
/// <remarks>
/// Not llama.cpp's own grammar sampler, for what that does with a request's grammar ends or hangs the process with all its other
/// answers: it throws through the C API when a token does not fit, doubles its stacks with each character of some ambiguous grammars,
/// looks for left recursion in exponential time and misses it behind empty rules, writes <c>{5,3}</c> out without end, and tells
/// what is wrong with a grammar to stderr alone. Here all of it is bounded, the same for both natives, and strict about UTF-8.
/// </remarks>
internal sealed class GrammarGuide
{
    private readonly GrammarMatcher _matcher;
    private readonly TokenTable _tokens;
    private GrammarPosition _position;
    private GrammarPosition[]? _path;

    public GrammarGuide(Grammar grammar, TokenTable tokens)
    {
        _matcher = new GrammarMatcher(grammar);
        _tokens = tokens;
        _position = new GrammarPosition(_matcher.Begin, 0, 0, 0);
    }

    /// <summary>Whether a token may come next; one that ends the answer only where the grammar is complete, one without bytes never.</summary>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public bool Allows(int token)
    {
        _matcher.BeginToken();
        return _tokens.IsEndOfGeneration(token) ? _position.CanEnd : TryWalk(token, out _);
    }

    /// <summary>Takes a token of the answer.</summary>
    /// <returns>False where it may not come here; nothing has changed then.</returns>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public bool TryAccept(int token)
    {
        _matcher.BeginToken();
        if (_tokens.IsEndOfGeneration(token) || !TryWalk(token, out GrammarPosition position))
            return false;
        _position = position;
        return true;
    }

    /// <summary>Makes all tokens impossible that may not come next.</summary>
    /// <param name="logits">One for each token.</param>
    /// <exception cref="GrammarException">None is left, or the grammar is too ambiguous.</exception>
    public void Forbid(Span<float> logits)
    {
        _matcher.BeginToken();
        TokenOrder order = _tokens.Order;
        foreach (int token in order.WithoutText)
        {
            if (!_position.CanEnd || !_tokens.IsEndOfGeneration(token))
                logits[token] = float.NegativeInfinity;
        }
        ForbidTexts(logits, order);
        if (logits.IndexOfAnyExcept(float.NegativeInfinity) < 0)
            throw new GrammarException("cannot be followed here: none of the model's possible tokens fits");
    }

    // In the order of their bytes, so that what tokens begin with in common is walked once.
    private void ForbidTexts(Span<float> logits, TokenOrder order)
    {
        GrammarPosition[] path = _path ??= new GrammarPosition[_tokens.LongestPiece + 1];
        path[0] = _position;
        int walked = 0;
        for (int i = 0; i < order.Tokens.Length; i++)
        {
            int token = order.Tokens[i], shared = order.Shared[i];
            bool fits = shared <= walked;
            if (fits)
            {
                ReadOnlySpan<byte> piece = _tokens.Piece(token).Span;
                walked = shared;
                while (walked < piece.Length && path[walked].TryStep(_matcher, piece[walked], out path[walked + 1]))
                    walked++;
                fits = walked == piece.Length;
            }
            if (!fits)
                logits[token] = float.NegativeInfinity;
        }
    }

    private bool TryWalk(int token, out GrammarPosition position)
    {
        position = _position;
        ReadOnlySpan<byte> piece = _tokens.Piece(token).Span;
        foreach (byte next in piece)
        {
            if (!position.TryStep(_matcher, next, out position))
                return false;
        }
        return !piece.IsEmpty;
    }
}

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
    private readonly TokenOrder _order;
    private GrammarPosition _position;
    private GrammarPosition[]? _path;

    public GrammarGuide(Grammar grammar, TokenTable tokens)
    {
        _matcher = new GrammarMatcher(grammar);
        _tokens = tokens;
        // Here, not when it is needed: the decode thread would stand still while a large vocabulary is sorted.
        _order = tokens.Order;
        _position = new GrammarPosition(_matcher.Begin, 0, 0, 0);
    }

    /// <summary>Before each token that is looked for: the bound on work is for all that is asked until the next.</summary>
    public void BeginToken() => _matcher.BeginToken();

    /// <summary>Whether a token may come next; one that ends the answer only where the grammar is complete, one without bytes never.</summary>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public bool Allows(int token) => _tokens.IsEndOfGeneration(token) ? _position.CanEnd : Walk(token).Follows;

    /// <summary>Moves the candidates that may come next to the beginning, until there are <paramref name="most"/>. The order stays.</summary>
    /// <returns>How many there are.</returns>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public int Keep(Span<Candidate> candidates, int most)
    {
        int kept = 0;
        for (int i = 0; i < candidates.Length && kept < most; i++)
        {
            if (Allows(candidates[i].Token))
                candidates[kept++] = candidates[i];
        }
        return kept;
    }

    /// <summary>Takes a token of the answer.</summary>
    /// <returns>False where it may not come here; nothing has changed then.</returns>
    /// <exception cref="GrammarException">The grammar is too ambiguous.</exception>
    public bool TryAccept(int token)
    {
        BeginToken();
        GrammarPosition position = _tokens.IsEndOfGeneration(token) ? default : Walk(token);
        if (position.Follows)
            _position = position;
        return position.Follows;
    }

    /// <summary>Makes all tokens impossible that may not come next. Looks at the whole vocabulary: where most of 150,000 fit, that takes 50 ms.</summary>
    /// <param name="logits">One for each token.</param>
    /// <exception cref="GrammarException">None is left, or the grammar is too ambiguous.</exception>
    public void Forbid(Span<float> logits)
    {
        foreach (int token in _order.WithoutText)
        {
            if (!_position.CanEnd || !_tokens.IsEndOfGeneration(token))
                logits[token] = float.NegativeInfinity;
        }
        ForbidTexts(logits);
        if (logits.IndexOfAnyExcept(float.NegativeInfinity) < 0)
            throw new GrammarException("cannot be followed here: none of the model's possible tokens fits");
    }

    // In the order of their bytes, so that what tokens begin with in common is walked once.
    private void ForbidTexts(Span<float> logits)
    {
        GrammarPosition[] path = _path ??= new GrammarPosition[_tokens.LongestPiece + 1];
        path[0] = _position;
        int walked = 0;
        for (int i = 0; i < _order.Tokens.Length; i++)
        {
            int token = _order.Tokens[i], shared = _order.Shared[i];
            bool fits = shared <= walked;
            if (fits)
            {
                ReadOnlySpan<byte> piece = _tokens.Piece(token).Span;
                walked = shared;
                while (walked < piece.Length && (path[walked + 1] = path[walked].Step(_matcher, piece[walked])).Follows)
                    walked++;
                fits = walked == piece.Length;
            }
            if (!fits)
                logits[token] = float.NegativeInfinity;
        }
    }

    private GrammarPosition Walk(int token)
    {
        ReadOnlySpan<byte> piece = _tokens.Piece(token).Span;
        GrammarPosition position = piece.IsEmpty ? default : _position;
        for (int i = 0; i < piece.Length && position.Follows; i++)
            position = position.Step(_matcher, piece[i]);
        return position;
    }
}

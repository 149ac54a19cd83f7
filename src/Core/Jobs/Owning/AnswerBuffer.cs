namespace OllamaMax.Jobs.Owning;

/// <summary>
/// Puts an answer's chunks in order by index: doubled tokens are dropped, early ones wait for those before them.
/// Keeps the token ids, from which another attempt can go on.
/// </summary>
internal sealed class AnswerBuffer
{
    /// <summary>Most tokens held ahead of a gap; what is beyond will be sent again.</summary>
    private const int MaxAhead = 16384;

    private readonly List<int> _tokens = [];
    private readonly SortedDictionary<int, Chunk> _ahead = [];

    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Index of the first token that is missing.</summary>
    public int Next => _tokens.Count;

    /// <summary>Whether another attempt can go on after what is here.</summary>
    public bool IsContinuable { get; private set; } = true;

    /// <summary>Chunks have come that cannot be used yet.</summary>
    public bool HasGap => _ahead.Count > 0;

    /// <summary>Takes a chunk in; answers what has become contiguous, in order.</summary>
    public IEnumerable<Chunk> Add(Chunk chunk)
    {
        if (chunk.Index > Next)
        {
            Hold(chunk);
            yield break;
        }
        if (Take(chunk) is { } first)
            yield return first;
        while (_ahead.Count > 0 && _ahead.First() is var (index, held) && index <= Next)
        {
            _ahead.Remove(index);
            if (Take(held) is { } following)
                yield return following;
        }
    }

    /// <summary>Forgets what came early: it was of an attempt that no longer counts.</summary>
    public void DropAhead() => _ahead.Clear();

    private void Hold(Chunk chunk)
    {
        if (chunk.NextIndex - Next > MaxAhead)
            return;
        // Of two with the same start the longer one, or the one that carries the end, says more.
        if (!_ahead.TryGetValue(chunk.Index, out Chunk? held) || chunk.Tokens.Length > held.Tokens.Length || held.End is null)
            _ahead[chunk.Index] = chunk;
    }

    private Chunk? Take(Chunk chunk)
    {
        if (chunk.NextIndex <= Next && chunk.End is null)
            return null;
        // An end that lies before what is known belongs to a shorter answer than this: it cannot be of the current attempt.
        if (chunk.NextIndex < Next)
            return null;
        Chunk fresh = chunk.From(Next);
        _tokens.AddRange(fresh.Tokens);
        IsContinuable &= Array.TrueForAll(fresh.Tokens, PieceKind.IsToken);
        return fresh;
    }
}

namespace OllamaMax.Inference.Native.Grammars;

/// <summary>A vocabulary in the order of its pieces' bytes: a tree of prefixes, laid out flat.</summary>
internal sealed class TokenOrder
{
    public TokenOrder(TokenTable table)
    {
        ILookup<bool, int> tokens = Enumerable.Range(0, table.Size)
            .ToLookup(token => !table.IsEndOfGeneration(token) && !table.Piece(token).IsEmpty);
        WithoutText = [.. tokens[false]];
        Tokens = [.. tokens[true]];
        Array.Sort(Tokens, (a, b) => table.Piece(a).Span.SequenceCompareTo(table.Piece(b).Span));
        Shared = new int[Tokens.Length];
        for (int i = 1; i < Tokens.Length; i++)
            Shared[i] = table.Piece(Tokens[i - 1]).Span.CommonPrefixLength(table.Piece(Tokens[i]).Span);
    }

    /// <summary>Tokens with text that do not end an answer.</summary>
    public int[] Tokens { get; }

    /// <summary>Bytes that each of <see cref="Tokens"/> has in common with the one before.</summary>
    public int[] Shared { get; }

    /// <summary>All others.</summary>
    public int[] WithoutText { get; }
}

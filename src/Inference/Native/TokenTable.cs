using OllamaMax.Inference.Native.Grammars;

namespace OllamaMax.Inference.Native;

/// <summary>A vocabulary's pieces and end tokens, read once, at load: they are asked for with every token. Shared by the natives.</summary>
internal sealed class TokenTable
{
    private readonly ReadOnlyMemory<byte>[] _pieces;
    private readonly bool[] _ends;
    private readonly Lazy<TokenOrder> _order;

    /// <exception cref="ModelLoadException">The vocabulary is empty.</exception>
    public TokenTable(int size, Func<int, byte[]> piece, Func<int, bool> isEnd)
    {
        if (size < 1)
            throw new ModelLoadException("its vocabulary is empty");
        _pieces = new ReadOnlyMemory<byte>[size];
        _ends = new bool[size];
        for (int token = 0; token < size; token++)
        {
            _pieces[token] = piece(token);
            _ends[token] = isEnd(token);
        }
        LongestPiece = Math.Max(1, _pieces.Max(static bytes => bytes.Length));
        _order = new Lazy<TokenOrder>(() => new TokenOrder(this));
    }

    public int Size => _pieces.Length;

    public int LongestPiece { get; }

    /// <summary>For following grammars; made when it is first asked for, which takes a moment. Any thread may ask.</summary>
    public TokenOrder Order => _order.Value;

    public bool IsEndOfGeneration(int token) => _ends[Checked(token)];

    public ReadOnlyMemory<byte> Piece(int token) => _pieces[Checked(token)];

    /// <summary>
    /// SentencePiece vocabularies fall back to tokens for single bytes; a missing one throws through the C API, which ends the process.
    /// </summary>
    /// <exception cref="ModelLoadException">A byte has no token.</exception>
    public void RequireByteTokens()
    {
        bool[] has = new bool[256];
        foreach (ReadOnlyMemory<byte> piece in _pieces)
        {
            if (piece.Length == 1)
                has[piece.Span[0]] = true;
        }
        int missing = Array.IndexOf(has, false);
        if (missing >= 0)
            throw new ModelLoadException($"its vocabulary lacks the token of the byte 0x{missing:X2}");
    }

    private int Checked(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, Size);
        return token;
    }
}

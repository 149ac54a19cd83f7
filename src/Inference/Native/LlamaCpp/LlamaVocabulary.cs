using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>A model's vocabulary. Pieces and end tokens are read once, at load: they are asked for with every token.</summary>
internal sealed unsafe class LlamaVocabulary
{
    private const int TypeNone = 0;
    private const int TypeSentencePiece = 1;
    private const int TypeWordPiece = 3;

    private readonly nint _vocabulary;
    private readonly ReadOnlyMemory<byte>[] _pieces;
    private readonly bool[] _ends;
    private readonly bool _canAddSpecial;
    private readonly bool _splitsByExpression;

    /// <exception cref="ModelLoadException">There is no vocabulary, or tokenizing with it could end the process.</exception>
    public LlamaVocabulary(nint vocabulary)
    {
        _vocabulary = vocabulary;
        int type = LlamaApi.VocabularyType(vocabulary);
        if (type is TypeNone or TypeWordPiece)
            throw new ModelLoadException(type == TypeNone ? "the model has no vocabulary" : "it is no model that generates text");
        Size = LlamaApi.VocabularySize(vocabulary);
        if (Size < 1)
            throw new ModelLoadException("its vocabulary is empty");
        if (type == TypeSentencePiece)
            RequireByteTokens();
        _splitsByExpression = type != TypeSentencePiece;

        _pieces = new ReadOnlyMemory<byte>[Size];
        _ends = new bool[Size];
        for (int token = 0; token < Size; token++)
        {
            _pieces[token] = ReadPiece(token);
            _ends[token] = LlamaApi.IsEndOfGeneration(vocabulary, token) != 0;
        }
        LongestPiece = Math.Max(1, _pieces.Max(static piece => piece.Length));

        int bos = LlamaApi.BosToken(vocabulary);
        bool addsBos = LlamaApi.AddsBos(vocabulary) != 0;
        LeadingToken = addsBos && bos >= 0 ? bos : null;
        // Adding a token that the vocabulary lacks is an assertion in there.
        _canAddSpecial = (!addsBos || bos >= 0) && (LlamaApi.AddsEos(vocabulary) == 0 || LlamaApi.EosToken(vocabulary) >= 0);
    }

    public int Size { get; }

    public int? LeadingToken { get; }

    public int LongestPiece { get; }

    public bool IsEndOfGeneration(int token) => _ends[Checked(token)];

    public ReadOnlyMemory<byte> Piece(int token) => _pieces[Checked(token)];

    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial)
    {
        // Bytes that would be a character beyond U+10FFFF throw through the C API, which ends the process.
        if (!Utf8.IsValid(utf8))
            utf8 = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));
        addSpecial &= _canAddSpecial;
        if (!_splitsByExpression || utf8.Length <= DeepStack.SafeBytes)
            return TokenizePart(utf8, addSpecial, parseSpecial);
        byte[] text = utf8.ToArray();
        return DeepStack.Run(() => TokenizeLong(text, addSpecial, parseSpecial));
    }

    private int[] TokenizeLong(byte[] text, bool addSpecial, bool parseSpecial)
    {
        List<int> cuts = DeepStack.Cuts(text);
        if (cuts.Count == 1)
            return TokenizePart(text, addSpecial, parseSpecial);
        List<int> tokens = [];
        if (addSpecial && LeadingToken is { } leading)
            tokens.Add(leading);
        int start = 0;
        foreach (int cut in cuts)
        {
            tokens.AddRange(TokenizePart(text.AsSpan(start, cut - start), addSpecial: false, parseSpecial));
            start = cut;
        }
        return [.. tokens];
    }

    private int[] TokenizePart(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial)
    {
        // A token per byte, BOS and EOS, and the space that some vocabularies put before the text.
        int[] buffer = ArrayPool<int>.Shared.Rent(checked(utf8.Length + 4));
        try
        {
            int count = Tokenize(utf8, buffer, addSpecial, parseSpecial);
            if (count < 0 && count != int.MinValue)
            {
                ArrayPool<int>.Shared.Return(buffer);
                buffer = ArrayPool<int>.Shared.Rent(-count);
                count = Tokenize(utf8, buffer, addSpecial, parseSpecial);
            }
            return count < 0
                ? throw new NativeException($"A text of {utf8.Length} bytes could not be tokenized.")
                : buffer[..count];
        }
        finally
        {
            ArrayPool<int>.Shared.Return(buffer);
        }
    }

    private int Tokenize(ReadOnlySpan<byte> utf8, int[] buffer, bool addSpecial, bool parseSpecial)
    {
        byte none = 0;
        fixed (byte* text = utf8)
        fixed (int* tokens = buffer)
        {
            return LlamaApi.Tokenize(_vocabulary, text is null ? &none : text, utf8.Length, tokens, buffer.Length,
                addSpecial ? (byte)1 : (byte)0, parseSpecial ? (byte)1 : (byte)0);
        }
    }

    private byte[] ReadPiece(int token)
    {
        Span<byte> buffer = stackalloc byte[256];
        int length = ReadPiece(token, buffer);
        if (length < 0)
        {
            buffer = new byte[-length];
            length = ReadPiece(token, buffer);
        }
        return buffer[..Math.Max(0, length)].ToArray();
    }

    private int ReadPiece(int token, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
            return LlamaApi.TokenToPiece(_vocabulary, token, pointer, buffer.Length, strip: 0, special: 1);
    }

    // Such a vocabulary falls back to tokens for single bytes; a missing one throws through the C API, which ends the process.
    private void RequireByteTokens()
    {
        HashSet<string> texts = [];
        for (int token = 0; token < Size; token++)
            texts.Add(Encoding.Latin1.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(LlamaApi.TokenText(_vocabulary, token))));
        for (int value = 0; value < 256; value++)
        {
            if (!texts.Contains($"<0x{value:X2}>") && !texts.Contains(((char)value).ToString()))
                throw new ModelLoadException($"its vocabulary lacks the token of the byte 0x{value:X2}");
        }
    }

    private int Checked(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, Size);
        return token;
    }
}

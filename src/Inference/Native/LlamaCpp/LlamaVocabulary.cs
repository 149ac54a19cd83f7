using System.Buffers;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>A model's vocabulary.</summary>
internal sealed unsafe class LlamaVocabulary
{
    private const int TypeNone = 0;
    private const int TypeSentencePiece = 1;
    private const int TypeWordPiece = 3;

    private readonly nint _vocabulary;
    private readonly bool _canAddSpecial;
    private readonly bool _splitsByExpression;

    /// <exception cref="ModelLoadException">There is no vocabulary, or tokenizing with it could end the process.</exception>
    public LlamaVocabulary(nint vocabulary)
    {
        _vocabulary = vocabulary;
        int type = LlamaApi.VocabularyType(vocabulary);
        if (type == TypeNone)
            throw new ModelLoadException("the model has no vocabulary");
        Tokens = new TokenTable(LlamaApi.VocabularySize(vocabulary), ReadPiece, token => LlamaApi.IsEndOfGeneration(vocabulary, token) != 0);
        _splitsByExpression = type != TypeSentencePiece;
        if (type == TypeSentencePiece)
            Tokens.RequireByteTokens();

        int bos = LlamaApi.BosToken(vocabulary);
        bool addsBos = LlamaApi.AddsBos(vocabulary) != 0;
        LeadingToken = addsBos && bos >= 0 ? bos : null;
        // Adding a token that the vocabulary lacks is an assertion in there.
        bool isWordPiece = type == TypeWordPiece;
        bool addsLast = isWordPiece || LlamaApi.AddsEos(vocabulary) != 0;
        int last = isWordPiece ? LlamaApi.SeparatorToken(vocabulary) : LlamaApi.EosToken(vocabulary);
        _canAddSpecial = ((!addsBos && !isWordPiece) || bos >= 0) && (!addsLast || last >= 0);
        TrailingToken = addsLast && last >= 0 ? last : null;
    }

    public TokenTable Tokens { get; }

    public int? LeadingToken { get; }

    public int? TrailingToken { get; }

    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial) => PromptText.Tokenize(
        utf8, addSpecial && _canAddSpecial, LeadingToken, _splitsByExpression, (part, special) => TokenizePart(part, special, parseSpecial));

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
}

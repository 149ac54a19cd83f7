namespace OllamaMax.Inference.Native;

/// <summary>
/// A loaded model: its vocabulary, and the contexts made from it. Two natives implement this port; everything that a caller
/// passes is checked inside it, because a failed assertion in native code would end the process.
/// Vocabulary members may be called from any thread.
/// </summary>
internal interface INativeModel : IDisposable
{
    /// <summary>What its file says about its form.</summary>
    ModelShape Shape { get; }

    int VocabularySize { get; }

    /// <summary>Tokens of context that the model was trained with; 0 where the file does not say.</summary>
    int TrainedContext { get; }

    /// <summary>The token that <see cref="Tokenize"/> puts first when asked for special tokens; null where the model has none.</summary>
    int? LeadingToken { get; }

    /// <summary>The token that <see cref="Tokenize"/> puts last when asked for special tokens; null where the model has none.</summary>
    int? TrailingToken { get; }

    /// <summary>Bytes of the longest piece: no text has fewer tokens than its bytes divided by this.</summary>
    int LongestPiece { get; }

    /// <exception cref="ArgumentOutOfRangeException">No such token.</exception>
    bool IsEndOfGeneration(int token);

    /// <summary>The token's bytes, control tokens rendered as their text; may be empty, may be part of a character.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such token.</exception>
    ReadOnlyMemory<byte> Piece(int token);

    /// <param name="utf8">Any bytes; what is not UTF-8 becomes U+FFFD.</param>
    /// <param name="addSpecial">Put BOS (and EOS) where the model wants them.</param>
    /// <param name="parseSpecial">Read the text of control tokens as those tokens.</param>
    int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial);

    /// <exception cref="ModelLoadException">There is not enough memory, or the model cannot run with this configuration.</exception>
    INativeContext CreateContext(ContextConfig config);

    /// <exception cref="ArgumentOutOfRangeException">A value is not a number or out of its range.</exception>
    INativeSampler CreateSampler(SamplerConfig config);
}

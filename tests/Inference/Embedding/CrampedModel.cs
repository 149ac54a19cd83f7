using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Embedding;

/// <summary>A model whose contexts that embed find no memory, until there is some.</summary>
internal sealed class CrampedModel(INativeModel inner) : INativeModel
{
    public const string Error = "no memory for a context";

    public bool HasRoom { get; set; }

    public ModelShape Shape => inner.Shape;

    public int VocabularySize => inner.VocabularySize;

    public int TrainedContext => inner.TrainedContext;

    public int? LeadingToken => inner.LeadingToken;

    public int? TrailingToken => inner.TrailingToken;

    public int LongestPiece => inner.LongestPiece;

    public bool IsEndOfGeneration(int token) => inner.IsEndOfGeneration(token);

    public ReadOnlyMemory<byte> Piece(int token) => inner.Piece(token);

    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial) => inner.Tokenize(utf8, addSpecial, parseSpecial);

    public INativeContext CreateContext(ContextConfig config) =>
        config.Pooling is null || HasRoom ? inner.CreateContext(config) : throw new ModelLoadException(Error);

    public INativeSampler CreateSampler(SamplerConfig config) => inner.CreateSampler(config);

    public void Dispose() => inner.Dispose();
}

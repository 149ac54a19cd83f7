namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>What a matrix is for, as far as that decides how many bits it gets.</summary>
internal enum TensorRole
{
    Other,
    Output,
    Embedding,
    AttentionValue,
    AttentionKey,
    AttentionOutput,
    FeedForwardDown,
}

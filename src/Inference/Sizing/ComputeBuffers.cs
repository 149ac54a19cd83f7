using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Sizing;

/// <summary>
/// What llama.cpp sets aside to compute a batch in, beside weights and context. Its graphs decide that, and no file tells them: so an estimate from
/// what is largest in them, a layer's own numbers, attention's scores, and the logits.
/// </summary>
internal static class ComputeBuffers
{
    // What the largest batch is cut into.
    private const int MostTokens = 512;

    /// <param name="shape">The model.</param>
    /// <param name="options">How it is computed.</param>
    /// <param name="sequences">Each can ask for one output in a batch.</param>
    /// <param name="context">Tokens that a token of the batch may look at.</param>
    public static long Estimate(ModelShape shape, EngineOptions options, int sequences, int context)
    {
        long tokens = Math.Min(options.BatchSize, MostTokens);
        long layer = tokens * ((4 * shape.Width) + (3 * shape.FeedForward)) * sizeof(float);
        // A mask in any case, in single precision and, for flash attention, in half; without that the scores of every head.
        bool scores = options.FlashAttention == FlashAttention.Off;
        long attention = tokens * context * (sizeof(float) + (scores ? shape.Heads * sizeof(float) : 2));
        // Computed in the buffer, and kept for whoever samples.
        long logits = 2L * Math.Min(sequences, tokens) * shape.Vocabulary * sizeof(float);
        return layer + attention + logits;
    }
}

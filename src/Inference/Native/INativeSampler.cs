namespace OllamaMax.Inference.Native;

/// <summary>
/// Chooses tokens for one sequence. The choice is a function of the logits, the accepted tokens, the seed and the
/// position alone: nothing is carried from draw to draw, so that a continued answer is drawn as if it had never been cut.
/// </summary>
internal interface INativeSampler : IDisposable
{
    /// <summary>Tells the penalties of a token: each of the prompt and of the answer, in order.</summary>
    void Accept(int token);

    /// <param name="logits">One for each token of the vocabulary.</param>
    /// <param name="position">The token's position in the answer, from 0.</param>
    /// <exception cref="NativeException">The logits hold NaN or nothing that can be chosen.</exception>
    int Sample(ReadOnlySpan<float> logits, int position);
}

using OllamaMax.Inference.Native.Grammars;

namespace OllamaMax.Inference.Native;

/// <summary>
/// Chooses tokens for one sequence. The choice is a function of the logits, the accepted tokens, the seed and the
/// position alone: nothing is carried from draw to draw, so that a continued answer is drawn as if it had never been cut.
/// </summary>
/// <remarks>
/// But Mirostat steers by how surprising the tokens so far were, which their ids do not tell: a continued answer begins
/// to steer anew and goes on validly, not equally.
/// </remarks>
internal interface INativeSampler : IDisposable
{
    /// <summary>Tells penalties and grammar of a token: each of the prompt and of the answer, in order.</summary>
    /// <param name="token">Any token of the vocabulary.</param>
    /// <param name="isAnswer">The grammar is for the answer alone, penalties look at the prompt too.</param>
    /// <returns>False where the grammar does not allow it; nothing has changed then.</returns>
    /// <exception cref="GrammarException">The grammar is too ambiguous to be followed.</exception>
    bool Accept(int token, bool isAnswer);

    /// <param name="logits">One for each token of the vocabulary.</param>
    /// <param name="position">The token's position in the answer, from 0.</param>
    /// <exception cref="NativeException">The logits hold NaN or nothing that can be chosen.</exception>
    /// <exception cref="GrammarException">No token fits the grammar, or it is too ambiguous to be followed.</exception>
    int Sample(ReadOnlySpan<float> logits, int position);
}

using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>How long a job may become.</summary>
/// <param name="Context">Tokens that the model sees, prompt and answer together.</param>
/// <param name="Answer">Most tokens of the answer.</param>
/// <param name="Keep">Tokens at the begin that stay when older ones make room for newer ones.</param>
internal sealed record JobBounds(int Context, long Answer, int Keep)
{
    // As Ollama does: a model that never ends would write for ever.
    private const int ContextsWithoutLimit = 10;

    /// <param name="options">What the job asks for.</param>
    /// <param name="context">Tokens that the model sees.</param>
    /// <param name="prompt">Tokens of the prompt, at most <paramref name="context"/>.</param>
    /// <param name="special">Tokens at the begin that the vocabulary put there.</param>
    public static JobBounds Of(InferenceOptions options, int context, int prompt, int special)
    {
        int keep = options.NumKeep < 0 ? prompt : (int)Math.Min(prompt, (long)options.NumKeep + special);
        long full = context - prompt;
        long answer = options switch
        {
            { NumPredict: -2 } => full,
            { NumPredict: < 0 } => options.Shift ? (long)ContextsWithoutLimit * context : full,
            { Shift: true } => options.NumPredict,
            _ => Math.Min(full, options.NumPredict),
        };
        return new JobBounds(context, answer, keep);
    }
}

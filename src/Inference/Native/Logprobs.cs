using OllamaMax.Jobs;

namespace OllamaMax.Inference.Native;

/// <summary>How likely tokens are by the model's own distribution. Costs a millisecond for a vocabulary of 150,000, so only when asked.</summary>
internal static class Logprobs
{
    /// <summary>Most <see cref="InferenceOptions.TopLogprobs"/>.</summary>
    public const int MaxTop = 20;

    /// <param name="logits">As the model computed them.</param>
    /// <param name="token">The one that was chosen.</param>
    /// <param name="top">How many of the likeliest to name, 0 to <see cref="MaxTop"/>.</param>
    /// <param name="piece">A token's bytes.</param>
    public static TokenLogprobs Of(ReadOnlySpan<float> logits, int token, int top, Func<int, ReadOnlyMemory<byte>> piece)
    {
        float highest = Logits.Highest(logits);
        double sum = 0;
        foreach (float logit in logits)
            sum += MathF.Exp(logit - highest);
        double whole = highest + Math.Log(sum);

        Span<Candidate> likeliest = stackalloc Candidate[top];
        likeliest = likeliest[..Logits.Top(logits, likeliest)];
        var named = new TopLogprob[likeliest.Length];
        for (int i = 0; i < named.Length; i++)
            named[i] = new TopLogprob(likeliest[i].Token, piece(likeliest[i].Token).ToArray(), (float)(likeliest[i].Logit - whole));
        return new TokenLogprobs((float)(logits[token] - whole), named);
    }
}

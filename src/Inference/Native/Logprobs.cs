using System.Numerics;
using System.Runtime.InteropServices;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Native;

/// <summary>How likely tokens are by the model's own distribution. Goes through the whole vocabulary, so only when asked.</summary>
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
        Logits read = Logits.Of(logits);
        double whole = read.Highest + Math.Log(SumOfExp(logits, read.Highest));

        Span<Candidate> likeliest = stackalloc Candidate[top];
        likeliest = likeliest[..read.Top(likeliest)];
        var named = new TopLogprob[likeliest.Length];
        for (int i = 0; i < named.Length; i++)
            named[i] = new TopLogprob(likeliest[i].Token, piece(likeliest[i].Token).ToArray(), (float)(likeliest[i].Logit - whole));
        return new TokenLogprobs((float)(logits[token] - whole), named);
    }

    // In single precision a vector at a time, of few terms: these are added up in double.
    private static double SumOfExp(ReadOnlySpan<float> logits, float highest)
    {
        double sum = 0;
        int whole = logits.Length - (logits.Length % Vector<float>.Count);
        foreach (Vector<float> vector in MemoryMarshal.Cast<float, Vector<float>>(logits[..whole]))
            sum += Vector.Sum(Vector.Exp(vector - new Vector<float>(highest)));
        foreach (float logit in logits[whole..])
            sum += MathF.Exp(logit - highest);
        return sum;
    }
}

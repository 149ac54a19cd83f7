using System.Numerics;

namespace OllamaMax.Inference.Native;

/// <summary>What is asked of a whole vocabulary's logits: 150,000 with each token, so a vector at a time.</summary>
internal static class Logits
{
    /// <summary>Sorting with NaN among them is undefined in the native samplers.</summary>
    /// <exception cref="NativeException">One is NaN or infinitely likely.</exception>
    public static void RequireNumbers(ReadOnlySpan<float> logits)
    {
        Vector<float> infinity = new(float.PositiveInfinity);
        int i = 0;
        while (i + Vector<float>.Count <= logits.Length && Vector.LessThanAll(new Vector<float>(logits[i..]), infinity))
            i += Vector<float>.Count;
        for (; i < logits.Length; i++)
        {
            if (!(logits[i] < float.PositiveInfinity))
                throw new NativeException($"The model computed {logits[i]} for token {i}: its weights are broken.");
        }
    }

    public static float Highest(ReadOnlySpan<float> logits)
    {
        Vector<float> highest = new(float.NegativeInfinity);
        int i = 0;
        for (; i + Vector<float>.Count <= logits.Length; i += Vector<float>.Count)
            highest = Vector.Max(highest, new Vector<float>(logits[i..]));
        float result = float.NegativeInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            result = Math.Max(result, highest[lane]);
        for (; i < logits.Length; i++)
            result = Math.Max(result, logits[i]);
        return result;
    }

    /// <returns>The likeliest token; the first of several.</returns>
    /// <exception cref="NativeException">None is possible.</exception>
    public static int Likeliest(ReadOnlySpan<float> logits)
    {
        float highest = Highest(logits);
        return float.IsNegativeInfinity(highest)
            ? throw new NativeException("The model computed no token to choose from.")
            : logits.IndexOf(highest);
    }

    /// <summary>The likeliest tokens, the likeliest first and of equal ones the first; none that is impossible.</summary>
    /// <returns>How many there are, at the beginning of <paramref name="top"/>.</returns>
    public static int Top(ReadOnlySpan<float> logits, Span<Candidate> top)
    {
        // A heap with the least likely at its root; a later token never takes the place of an equal one.
        int count = 0, i = 0;
        for (; i < logits.Length && count < top.Length; i++)
        {
            if (logits[i] > float.NegativeInfinity)
                Push(top, count++, new Candidate { Token = i, Logit = logits[i] });
        }
        while (count > 0 && i < logits.Length)
        {
            if (i + Vector<float>.Count <= logits.Length && Vector.LessThanOrEqualAll(new Vector<float>(logits[i..]), new Vector<float>(top[0].Logit)))
            {
                i += Vector<float>.Count;
                continue;
            }
            for (int end = Math.Min(i + Vector<float>.Count, logits.Length); i < end; i++)
            {
                if (logits[i] > top[0].Logit)
                    ReplaceRoot(top[..count], new Candidate { Token = i, Logit = logits[i] });
            }
        }
        top[..count].Sort(static (a, b) => a.Logit != b.Logit ? b.Logit.CompareTo(a.Logit) : a.Token.CompareTo(b.Token));
        return count;
    }

    private static void Push(Span<Candidate> heap, int at, Candidate candidate)
    {
        while (at > 0 && IsLessLikely(candidate, heap[(at - 1) / 2]))
        {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = candidate;
    }

    private static void ReplaceRoot(Span<Candidate> heap, Candidate candidate)
    {
        int at = 0;
        for (int child = 1; child < heap.Length; child = (2 * at) + 1)
        {
            if (child + 1 < heap.Length && IsLessLikely(heap[child + 1], heap[child]))
                child++;
            if (!IsLessLikely(heap[child], candidate))
                break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = candidate;
    }

    private static bool IsLessLikely(Candidate a, Candidate b) => a.Logit != b.Logit ? a.Logit < b.Logit : a.Token > b.Token;
}

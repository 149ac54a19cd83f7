using System.Numerics;
using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native;

/// <summary>
/// A whole vocabulary's logits, 150,000 with each token, and the highest of each block of them: these are read once, what is asked then looks into few blocks.
/// One at a time on a thread: making the next one ends it.
/// </summary>
internal readonly ref struct Logits
{
    /// <summary>Vectors of which the highest are kept together, lane by lane.</summary>
    private const int VectorsPerBlock = 8;

    private static readonly int s_blockSize = VectorsPerBlock * Vector<float>.Count;

    [ThreadStatic]
    private static Vector<float>[]? t_highest;

    private readonly ReadOnlySpan<float> _values;

    // Of whole blocks; what is left at the end is looked at one by one.
    private readonly ReadOnlySpan<Vector<float>> _highest;

    private Logits(ReadOnlySpan<float> values, ReadOnlySpan<Vector<float>> highest)
    {
        _values = values;
        _highest = highest;
    }

    /// <summary>Negative infinity where no token is possible.</summary>
    public float Highest
    {
        get
        {
            Vector<float> highest = new(float.NegativeInfinity);
            foreach (Vector<float> block in _highest)
                highest = Vector.MaxNative(highest, block);
            float result = float.NegativeInfinity;
            for (int lane = 0; lane < Vector<float>.Count; lane++)
                result = Math.Max(result, highest[lane]);
            foreach (float value in Rest)
                result = Math.Max(result, value);
            return result;
        }
    }

    /// <summary>The likeliest token; the first of several.</summary>
    /// <exception cref="NativeException">None is possible.</exception>
    public int Likeliest
    {
        get
        {
            float highest = Highest;
            if (float.IsNegativeInfinity(highest))
                throw new NativeException("The model computed no token to choose from.");
            int block = 0;
            while (block < _highest.Length && !Vector.EqualsAny(_highest[block], new Vector<float>(highest)))
                block++;
            return (block * s_blockSize) + _values[(block * s_blockSize)..].IndexOf(highest);
        }
    }

    private ReadOnlySpan<float> Rest => _values[(_highest.Length * s_blockSize)..];

    /// <summary>Reads them. Sorting with NaN among them is undefined in the native samplers.</summary>
    /// <exception cref="NativeException">One is NaN or infinitely likely.</exception>
    public static Logits Of(ReadOnlySpan<float> values)
    {
        int blocks = values.Length / s_blockSize;
        if (t_highest is null || t_highest.Length < blocks)
            t_highest = new Vector<float>[blocks];
        Span<Vector<float>> highest = t_highest.AsSpan(0, blocks);
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        Vector<int> areNumbers = Vector<int>.AllBitsSet;
        for (int block = 0; block < highest.Length; block++)
            highest[block] = HighestOf(vectors.Slice(block * VectorsPerBlock, VectorsPerBlock), ref areNumbers);
        Logits read = new(values, highest);
        bool isBroken = areNumbers != Vector<int>.AllBitsSet;
        foreach (float value in read.Rest)
            isBroken |= !(value < float.PositiveInfinity);
        if (isBroken)
            ThrowBroken(values);
        return read;
    }

    /// <summary>The likeliest tokens, the likeliest first and of equal ones the first; none that is impossible.</summary>
    /// <returns>How many there are, at the beginning of <paramref name="top"/>.</returns>
    public int Top(Span<Candidate> top)
    {
        if (top.IsEmpty)
            return 0;
        // A heap with the least likely at its root; a later token never takes the place of an equal one.
        int count = 0;
        Vector<float> least = new(LeastOfTop(top.Length));
        for (int block = 0; block < _highest.Length; block++)
        {
            if (!Vector.GreaterThanOrEqualAny(_highest[block], least))
                continue;
            int end = (block + 1) * s_blockSize;
            for (int from = block * s_blockSize; from < end; from += Vector<float>.Count)
            {
                if (!Vector.GreaterThanOrEqualAny(new Vector<float>(_values[from..]), least))
                    continue;
                Take(from, from + Vector<float>.Count, top, ref count);
                if (count == top.Length)
                    least = Vector.Max(least, new Vector<float>(top[0].Logit));
            }
        }
        Take(_highest.Length * s_blockSize, _values.Length, top, ref count);
        top[..count].Sort(static (a, b) => a.Logit != b.Logit ? b.Logit.CompareTo(a.Logit) : a.Token.CompareTo(b.Token));
        return count;
    }

    private static Vector<float> HighestOf(ReadOnlySpan<Vector<float>> vectors, ref Vector<int> areNumbers)
    {
        Vector<float> infinity = new(float.PositiveInfinity), highest = vectors[0];
        Vector<int> are = Vector.LessThan(highest, infinity);
        foreach (Vector<float> vector in vectors[1..])
        {
            are &= Vector.LessThan(vector, infinity);
            highest = Vector.MaxNative(highest, vector);
        }
        areNumbers &= are;
        return highest;
    }

    private static void ThrowBroken(ReadOnlySpan<float> values)
    {
        int token = 0;
        while (values[token] < float.PositiveInfinity)
            token++;
        throw new NativeException($"The model computed {values[token]} for token {token}: its weights are broken.");
    }

    /// <summary>
    /// What the last of so many likeliest tokens has at least. Without it nearly every token that is looked at first would be taken, and put out again.
    /// All tokens lie in as many groups or more, and each has its highest: so many tokens are no lower than the lowest of these.
    /// </summary>
    private float LeastOfTop(int count)
    {
        int groups = (count + Vector<float>.Count - 1) / Vector<float>.Count;
        Vector<float> lowest = new(float.PositiveInfinity);
        for (int group = 0; group < groups; group++)
        {
            Vector<float> highest = new(float.NegativeInfinity);
            for (int block = group; block < _highest.Length; block += groups)
                highest = Vector.MaxNative(highest, _highest[block]);
            lowest = Vector.MinNative(lowest, highest);
        }
        float least = float.PositiveInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            least = Math.Min(least, lowest[lane]);
        return least;
    }

    private void Take(int from, int to, Span<Candidate> top, ref int count)
    {
        for (int token = from; token < to; token++)
        {
            float logit = _values[token];
            if (count == top.Length)
            {
                if (logit > top[0].Logit)
                    ReplaceRoot(top, new Candidate { Token = token, Logit = logit });
            }
            else if (logit > float.NegativeInfinity)
            {
                Push(top, count++, new Candidate { Token = token, Logit = logit });
            }
        }
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

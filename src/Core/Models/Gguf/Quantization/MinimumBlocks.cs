using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// ggml's <c>block_q4_K</c> and <c>block_q5_K</c>: 256 weights in eight groups, each with a scale and a minimum of 6 bits, in units of the block's own. After <c>quantize_row_q4_K_ref</c> and
/// <c>quantize_row_q5_K_ref</c> of llama.cpp (ggml/src/ggml-quants.c, MIT).
/// </summary>
internal static class MinimumBlocks
{
    private const int GroupSize = 32;
    private const int Elements = Lanes.Count * GroupSize;
    private const int ScalesAt = 4;
    private const int LevelsAt = 16;

    /// <summary>Of a scale and of a minimum.</summary>
    private const int Highest = 63;

    public static void WriteQ4(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        Fit(values, most: 15, begin: -1, steps: 20, block, levels);
        WriteLow(levels, block[LevelsAt..]);
    }

    public static void WriteQ5(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        Fit(values, most: 31, begin: -0.5f, steps: 15, block, levels);
        Span<byte> high = block.Slice(LevelsAt, GroupSize);
        high.Clear();
        for (int i = 0; i < Elements; i++)
            high[i % GroupSize] |= (byte)(levels[i] >> 4 << (i / GroupSize));
        WriteLow(levels, block[(LevelsAt + GroupSize)..]);
    }

    /// <summary>Four bits of each: two groups share their bytes.</summary>
    private static void WriteLow(ReadOnlySpan<byte> levels, Span<byte> low)
    {
        for (int i = 0; i < Elements / 2; i++)
        {
            int at = (i / GroupSize * 2 * GroupSize) + (i % GroupSize);
            low[i] = (byte)((levels[at] & 15) | (levels[at + GroupSize] << 4));
        }
    }

    private static void Fit(ReadOnlySpan<float> values, int most, float begin, int steps, Span<byte> block, Span<byte> levels)
    {
        Span<Vector256<float>> lanes = stackalloc Vector256<float>[GroupSize];
        Lanes.Load(values, lanes);
        ScaleMinimumSearch.Fit fit = ScaleMinimumSearch.Find(lanes, most, begin, steps);
        Vector256<float> scales = WriteShares(fit.Scale, block, block.Slice(ScalesAt, 12), isMinimum: false);
        Vector256<float> minimums = WriteShares(-fit.Minimum, block[2..], block.Slice(ScalesAt, 12), isMinimum: true);
        // Scales are rounded now: the levels that fit them best, but where nothing is left of one.
        Vector256<int> isNothing = Vector256.Equals(scales, Vector256<float>.Zero).AsInt32();
        for (int i = 0; i < GroupSize; i++)
        {
            Vector256<int> level = Lanes.Nearest((lanes[i] + minimums) / scales, 0, most);
            Lanes.Store(Vector256.ConditionalSelect(isNothing, fit.Level(lanes[i], most), level), i, GroupSize, levels);
        }
    }

    /// <summary>Writes the unit that they are multiples of, and how often it is in each of them.</summary>
    /// <param name="found">Of each group.</param>
    /// <param name="unit">Where that of the block goes.</param>
    /// <param name="packed">Where those of the groups go; minimums come second.</param>
    /// <param name="isMinimum">They are minimums.</param>
    /// <returns>What of each is read again.</returns>
    private static Vector256<float> WriteShares(Vector256<float> found, Span<byte> unit, Span<byte> packed, bool isMinimum)
    {
        float furthest = 0;
        for (int group = 0; group < Lanes.Count; group++)
            furthest = found[group] > furthest ? found[group] : furthest;
        float inverse = furthest > 0 ? Highest / furthest : 0;
        Half one = (Half)(furthest / Highest);
        BinaryPrimitives.WriteHalfLittleEndian(unit, one);
        Vector256<float> rounded = Vector256<float>.Zero;
        for (int group = 0; group < Lanes.Count; group++)
        {
            byte share = Math.Min((byte)Highest, (byte)Lanes.Nearest(inverse * found[group]));
            rounded = rounded.WithElement(group, (float)one * share);
            Pack(share, group, packed, isMinimum);
        }
        return rounded;
    }

    /// <summary>The first four groups have bytes of their own, of which two bits are left: there the last four have their upper bits, and share bytes for the others.</summary>
    private static void Pack(byte share, int group, Span<byte> packed, bool isMinimum)
    {
        int half = Lanes.Count / 2, own = isMinimum ? half : 0;
        if (group < half)
        {
            packed[own + group] = share;
            return;
        }
        packed[own + group - half] |= (byte)(share >> 4 << 6);
        if (isMinimum)
            packed[half + group] |= (byte)(share << 4);
        else
            packed[half + group] = (byte)(share & 15);
    }
}

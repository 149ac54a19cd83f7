using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// ggml's <c>block_q6_K</c>: 256 weights in sixteen groups, each with a scale of 8 bits in units of the block's own. After <c>quantize_row_q6_K_ref</c> of llama.cpp
/// (ggml/src/ggml-quants.c, MIT).
/// </summary>
internal static class Q6Blocks
{
    private const int GroupSize = 16;
    private const int Groups = 2 * Lanes.Count;
    private const int Side = Lanes.Count * GroupSize;
    private const int HighAt = 128;
    private const int ScalesAt = 192;
    private const int UnitAt = 208;
    private const float Nothing = 1e-15f;

    public static void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<Vector256<float>> lanes = stackalloc Vector256<float>[2 * GroupSize];
        Span<Vector256<float>> first = lanes[..GroupSize];
        Span<Vector256<float>> second = lanes[GroupSize..];
        Lanes.Load(values[..Side], first);
        Lanes.Load(values[Side..], second);
        (ScaleSearch.Fit firstFit, ScaleSearch.Fit secondFit) = (ScaleSearch.Find(first), ScaleSearch.Find(second));
        float furthest = 0;
        for (int group = 0; group < Groups; group++)
        {
            float scale = ScaleOf(group);
            furthest = Math.Abs(scale) > Math.Abs(furthest) ? scale : furthest;
        }
        block.Clear();
        if (Math.Abs(furthest) < Nothing)
            return;
        float inverse = -128 / furthest;
        Half unit = (Half)(1 / inverse);
        BinaryPrimitives.WriteHalfLittleEndian(block[UnitAt..], unit);
        Span<float> rounded = stackalloc float[Groups];
        for (int group = 0; group < Groups; group++)
        {
            sbyte share = (sbyte)Math.Min(127, Lanes.Nearest(inverse * ScaleOf(group)));
            block[ScalesAt + group] = (byte)share;
            rounded[group] = (float)unit * share;
        }
        Span<byte> levels = stackalloc byte[2 * Side];
        StoreLevels(first, firstFit, Vector256.Create<float>(rounded[..Lanes.Count]), levels[..Side]);
        StoreLevels(second, secondFit, Vector256.Create<float>(rounded[Lanes.Count..]), levels[Side..]);
        Pack(levels[..Side], block, block[HighAt..]);
        Pack(levels[Side..], block[64..], block[(HighAt + 32)..]);

        float ScaleOf(int group) => group < Lanes.Count ? firstFit.Scale[group] : secondFit.Scale[group - Lanes.Count];
    }

    /// <summary>Scales are rounded now: the levels that fit them best, but where nothing is left of one.</summary>
    private static void StoreLevels(ReadOnlySpan<Vector256<float>> lanes, ScaleSearch.Fit fit, Vector256<float> scales, Span<byte> levels)
    {
        Vector256<int> isNothing = Vector256.Equals(scales, Vector256<float>.Zero).AsInt32();
        for (int i = 0; i < GroupSize; i++)
            Lanes.Store(Vector256.ConditionalSelect(isNothing, fit.Level(lanes[i]), ScaleSearch.Level(lanes[i] / scales)), i, GroupSize, levels);
    }

    /// <summary>Of 128 levels four bits of each in 64 bytes, and two of each in 32.</summary>
    private static void Pack(ReadOnlySpan<byte> levels, Span<byte> low, Span<byte> high)
    {
        for (int i = 0; i < 32; i++)
        {
            (int a, int b, int c, int d) = (levels[i], levels[i + 32], levels[i + 64], levels[i + 96]);
            low[i] = (byte)((a & 15) | (c << 4));
            low[i + 32] = (byte)((b & 15) | (d << 4));
            high[i] = (byte)((a >> 4) | (b >> 4 << 2) | (c >> 4 << 4) | (d >> 4 << 6));
        }
    }
}

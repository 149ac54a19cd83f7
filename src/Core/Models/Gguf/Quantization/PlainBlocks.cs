using System.Buffers.Binary;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// ggml's blocks of 32 weights with one scale, and in one of them a minimum: <c>block_q4_0</c>, <c>block_q5_0</c>, <c>block_q5_1</c>, <c>block_q8_0</c>. After <c>quantize_row_q4_0_ref</c> and
/// the others of llama.cpp (ggml/src/ggml-quants.c, MIT).
/// </summary>
internal static class PlainBlocks
{
    private const int Elements = 32;

    public static void WriteQ4(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        WriteAroundZero(values, 8, block, levels);
        WriteLow(levels, block[2..]);
    }

    public static void WriteQ5(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> levels = stackalloc byte[Elements];
        WriteAroundZero(values, 16, block, levels);
        WriteHigh(levels, block[2..]);
        WriteLow(levels, block[6..]);
    }

    public static void WriteQ5WithMinimum(ReadOnlySpan<float> values, Span<byte> block)
    {
        (float least, float most) = (float.MaxValue, -float.MaxValue);
        foreach (float value in values)
            (least, most) = (value < least ? value : least, value > most ? value : most);
        float scale = (most - least) / 31;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)least);
        Span<byte> levels = stackalloc byte[Elements];
        for (int i = 0; i < Elements; i++)
            levels[i] = (byte)Truncated(((values[i] - least) * inverse) + 0.5f);
        WriteHigh(levels, block[4..]);
        WriteLow(levels, block[8..]);
    }

    public static void WriteQ8(ReadOnlySpan<float> values, Span<byte> block)
    {
        float furthest = 0;
        foreach (float value in values)
            furthest = Math.Max(furthest, Math.Abs(value));
        float scale = furthest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (int i = 0; i < Elements; i++)
            block[2 + i] = (byte)(sbyte)Truncated(MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero));
    }

    /// <summary>The value that is furthest from 0 becomes level 0 exactly, whatever its sign.</summary>
    private static void WriteAroundZero(ReadOnlySpan<float> values, int middle, Span<byte> scaleAt, Span<byte> levels)
    {
        float furthest = 0;
        foreach (float value in values)
            furthest = Math.Abs(furthest) < Math.Abs(value) ? value : furthest;
        float scale = furthest / -middle;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(scaleAt, (Half)scale);
        for (int i = 0; i < Elements; i++)
            levels[i] = (byte)Math.Min((2 * middle) - 1, (sbyte)Truncated((values[i] * inverse) + (middle + 0.5f)));
    }

    /// <summary>The first half of the levels in the lower bits.</summary>
    private static void WriteLow(ReadOnlySpan<byte> levels, Span<byte> low)
    {
        for (int i = 0; i < Elements / 2; i++)
            low[i] = (byte)((levels[i] & 15) | (levels[i + (Elements / 2)] << 4));
    }

    /// <summary>The fifth bit of each.</summary>
    private static void WriteHigh(ReadOnlySpan<byte> levels, Span<byte> high)
    {
        uint bits = 0;
        for (int i = 0; i < Elements; i++)
            bits |= (uint)((levels[i] >> 4) & 1) << i;
        BinaryPrimitives.WriteUInt32LittleEndian(high, bits);
    }

    /// <summary>As x64 does it: C leaves open what becomes of what no number of 32 bits is, and weights too small for a scale are divided by nothing here.</summary>
    private static int Truncated(float value) => value is >= int.MinValue and < 2147483648f ? (int)value : int.MinValue;
}

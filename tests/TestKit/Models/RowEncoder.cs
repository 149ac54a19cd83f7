using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OllamaMax.TestKit.Models;

/// <summary>Writes weights as ggml keeps them (ggml/src/ggml-common.h: <c>block_q8_0</c>, <c>block_q4_0</c>).</summary>
internal static class RowEncoder
{
    private const int Block = 32;

    /// <summary>Values of <c>ggml_type</c>.</summary>
    public static uint TypeNumber(GgufWeights weights) => weights switch { GgufWeights.F32 => 0, GgufWeights.Q4_0 => 2, _ => 8 };

    public static int Bytes(GgufWeights weights, int length) => weights switch
    {
        GgufWeights.F32 => length * sizeof(float),
        GgufWeights.Q8_0 => length / Block * 34,
        _ => length / Block * 18,
    };

    public static void Encode(GgufWeights weights, ReadOnlySpan<float> row, Span<byte> bytes)
    {
        if (weights == GgufWeights.F32)
        {
            MemoryMarshal.AsBytes(row).CopyTo(bytes);
            return;
        }
        int size = Bytes(weights, Block);
        for (int block = 0; block < row.Length / Block; block++)
        {
            ReadOnlySpan<float> values = row.Slice(block * Block, Block);
            Span<byte> target = bytes.Slice(block * size, size);
            if (weights == GgufWeights.Q8_0)
                EncodeQ8(values, target);
            else
                EncodeQ4(values, target);
        }
    }

    private static void EncodeQ8(ReadOnlySpan<float> values, Span<byte> target)
    {
        float scale = Math.Abs(Furthest(values)) / 127;
        BinaryPrimitives.WriteHalfLittleEndian(target, (Half)scale);
        for (int i = 0; i < Block; i++)
            target[2 + i] = (byte)(sbyte)(scale == 0 ? 0 : MathF.Round(values[i] / scale));
    }

    // The furthest value becomes exactly -8 scales; the first half of a block is in the low nibbles.
    private static void EncodeQ4(ReadOnlySpan<float> values, Span<byte> target)
    {
        float scale = Furthest(values) / -8;
        BinaryPrimitives.WriteHalfLittleEndian(target, (Half)scale);
        for (int i = 0; i < Block / 2; i++)
            target[2 + i] = (byte)(Nibble(values[i], scale) | (Nibble(values[i + (Block / 2)], scale) << 4));
    }

    private static int Nibble(float value, float scale) => scale == 0 ? 8 : Math.Clamp((int)((value / scale) + 8.5f), 0, 15);

    private static float Furthest(ReadOnlySpan<float> values)
    {
        float furthest = 0;
        foreach (float value in values)
        {
            if (Math.Abs(value) > Math.Abs(furthest))
                furthest = value;
        }
        return furthest;
    }
}

using System.Buffers.Binary;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>Writes values as blocks; they are whole ones.</summary>
internal delegate void BlockWriter(ReadOnlySpan<float> values, Span<byte> blocks);

/// <summary>Who writes which of ggml's types.</summary>
internal static class BlockWriters
{
    /// <exception cref="ArgumentOutOfRangeException">Nobody does.</exception>
    public static BlockWriter Of(uint type) => type switch
    {
        GgmlType.F16 => WriteHalves,
        GgmlType.Q4 => Each(type, PlainBlocks.WriteQ4),
        GgmlType.Q5 => Each(type, PlainBlocks.WriteQ5),
        GgmlType.Q5WithMinimum => Each(type, PlainBlocks.WriteQ5WithMinimum),
        GgmlType.Q8 => Each(type, PlainBlocks.WriteQ8),
        GgmlType.Q4K => Each(type, MinimumBlocks.WriteQ4),
        GgmlType.Q5K => Each(type, MinimumBlocks.WriteQ5),
        GgmlType.Q6K => Each(type, Q6Blocks.Write),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no type that is written here"),
    };

    private static BlockWriter Each(uint type, BlockWriter one)
    {
        (_, int elements, int bytes) = GgmlType.Of(type);
        return (values, blocks) =>
        {
            for (int i = 0; i * elements < values.Length; i++)
                one(values.Slice(i * elements, elements), blocks.Slice(i * bytes, bytes));
        };
    }

    private static void WriteHalves(ReadOnlySpan<float> values, Span<byte> halves)
    {
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteHalfLittleEndian(halves[(2 * i)..], (Half)values[i]);
    }
}

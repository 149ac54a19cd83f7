using System.Globalization;

namespace OllamaMax.Models.Gguf;

/// <summary>Tensor types of ggml (its <c>ggml_type</c>): name, elements of a block, bytes of a block.</summary>
internal readonly record struct GgmlType(string Name, int BlockElements, int BlockBytes)
{
    public const uint F32 = 0;
    public const uint F16 = 1;
    public const uint Q4 = 2;
    public const uint Q5 = 6;
    public const uint Q5WithMinimum = 7;
    public const uint Q8 = 8;
    public const uint Q4K = 12;
    public const uint Q5K = 13;
    public const uint Q6K = 14;
    public const uint BF16 = 30;

    private static readonly Dictionary<uint, GgmlType> Known = new()
    {
        [F32] = new("F32", 1, 4),
        [F16] = new("F16", 1, 2),
        [Q4] = new("Q4_0", 32, 18),
        [3] = new("Q4_1", 32, 20),
        [Q5] = new("Q5_0", 32, 22),
        [Q5WithMinimum] = new("Q5_1", 32, 24),
        [Q8] = new("Q8_0", 32, 34),
        [9] = new("Q8_1", 32, 36),
        [10] = new("Q2_K", 256, 84),
        [11] = new("Q3_K", 256, 110),
        [Q4K] = new("Q4_K", 256, 144),
        [Q5K] = new("Q5_K", 256, 176),
        [Q6K] = new("Q6_K", 256, 210),
        [15] = new("Q8_K", 256, 292),
        [16] = new("IQ2_XXS", 256, 66),
        [17] = new("IQ2_XS", 256, 74),
        [18] = new("IQ3_XXS", 256, 98),
        [19] = new("IQ1_S", 256, 50),
        [20] = new("IQ4_NL", 32, 18),
        [21] = new("IQ3_S", 256, 110),
        [22] = new("IQ2_S", 256, 82),
        [23] = new("IQ4_XS", 256, 136),
        [24] = new("I8", 1, 1),
        [25] = new("I16", 1, 2),
        [26] = new("I32", 1, 4),
        [27] = new("I64", 1, 8),
        [28] = new("F64", 1, 8),
        [29] = new("IQ1_M", 256, 56),
        [BF16] = new("BF16", 1, 2),
        [34] = new("TQ1_0", 256, 54),
        [35] = new("TQ2_0", 256, 66),
        [39] = new("MXFP4", 32, 17),
    };

    /// <summary>A type that is newer than this table has a name made of its number and no size.</summary>
    public static GgmlType Of(uint id) =>
        Known.TryGetValue(id, out GgmlType type) ? type : new($"type{id.ToString(CultureInfo.InvariantCulture)}", 0, 0);

    /// <summary>Bytes of a tensor; null where the type's size is not known, or too many to count.</summary>
    public long? BytesOf(long elements)
    {
        if (BlockElements == 0)
            return null;
        Int128 bytes = ((Int128)elements + BlockElements - 1) / BlockElements * BlockBytes;
        return bytes <= long.MaxValue ? (long)bytes : null;
    }
}

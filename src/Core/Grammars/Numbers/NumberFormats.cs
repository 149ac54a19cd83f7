using System.Numerics;

namespace OllamaMax.Grammars.Numbers;

/// <summary>The formats that OpenAPI has for numbers (its format registry).</summary>
internal static class NumberFormats
{
    public static bool IsKnown(string format) => Find(format) is not null;

    /// <returns>Null for a format that is none of numbers.</returns>
    public static NumberRange? Find(string format) => format switch
    {
        "int8" => Whole(sbyte.MinValue, sbyte.MaxValue),
        "uint8" => Whole(byte.MinValue, byte.MaxValue),
        "int16" => Whole(short.MinValue, short.MaxValue),
        "uint16" => Whole(ushort.MinValue, ushort.MaxValue),
        "int32" => Whole(int.MinValue, int.MaxValue),
        "uint32" => Whole(uint.MinValue, uint.MaxValue),
        "int64" => Whole(long.MinValue, long.MaxValue),
        "uint64" => Whole(ulong.MinValue, ulong.MaxValue),
        // Every number that a grammar leads to can be read as one of these, if not exactly.
        "float" or "double" => NumberRange.All,
        _ => null,
    };

    private static NumberRange Whole(BigInteger least, BigInteger most) => new()
    {
        Least = new(ExactNumber.Of(least), IsExclusive: false),
        Most = new(ExactNumber.Of(most), IsExclusive: false),
        Step = ExactNumber.One,
    };
}

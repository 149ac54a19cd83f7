using OllamaMax.Models.Gguf;
using OllamaMax.Models.Gguf.Quantization;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>Blocks that are written here, held against the library's, byte for byte.</summary>
public sealed class BlockWriterTests
{
    private const int RowLength = 2048;

    public static TheoryData<uint> Types() =>
        [GgmlType.F16, GgmlType.Q4, GgmlType.Q5, GgmlType.Q5WithMinimum, GgmlType.Q8, GgmlType.Q4K, GgmlType.Q5K, GgmlType.Q6K];

    [Theory]
    [MemberData(nameof(Types))]
    public void Write_RowsOfEveryKind_AreTheLibrarysBytes(uint type)
    {
        foreach ((string kind, float[] values) in Rows())
            Write(type, values).ShouldBe(LlamaQuantizer.Row(type, values), $"{GgmlType.Of(type).Name} of a row with {kind}");
    }

    private static byte[] Write(uint type, float[] values)
    {
        byte[] row = new byte[(int)GgmlType.Of(type).BytesOf(values.Length)!];
        BlockWriters.Of(type)(values, row);
        return row;
    }

    private static IEnumerable<(string Kind, float[] Values)> Rows()
    {
        Random random = new(20260411);
        for (int i = 0; i < 8; i++)
            yield return ("values as weights have them", Row(_ => Bell() * 0.02f));
        yield return ("values spread evenly", Row(_ => Even()));
        yield return ("values above zero only", Row(_ => 1 + random.NextSingle()));
        yield return ("values below zero only", Row(_ => -1 - random.NextSingle()));
        yield return ("zeros", Row(static _ => 0));
        yield return ("zeros of either sign", Row(static i => i % 3 == 0 ? -0f : 0));
        yield return ("one value", Row(static _ => 0.37f));
        yield return ("one value below zero", Row(static _ => -0.37f));
        yield return ("two values", Row(static i => i % 2 == 0 ? 0.25f : -0.25f));
        yield return ("steps", Row(static i => i * 0.01f));
        yield return ("steps of halves, which lie between two levels", Row(static i => (i % 17 * 0.5f) - 4));
        yield return ("whole numbers", Row(_ => random.Next(-8, 8)));
        yield return ("a value far from all others", Row(i => i % 97 == 0 ? 1000 * Even() : Bell() * 0.001f));
        yield return ("one value that is no zero", Row(static i => i == 700 ? 1 : 0));
        yield return ("groups of zeros", Row(i => i / 16 % 3 == 0 ? 0 : Bell()));
        yield return ("groups of very different size", Row(i => Bell() * MathF.Pow(10, (i / 16 % 12) - 6)));
        yield return ("large values", Row(_ => Even() * 60000));
        yield return ("values too large for a half", Row(_ => Even() * 1e30f));
        yield return ("small values", Row(_ => Even() * 1e-12f));
        yield return ("values whose squares are nothing", Row(_ => Even() * 1e-25f));
        yield return ("the smallest normal values", Row(_ => Even() * 4e-38f));
        yield return ("denormal values", Row(_ => Even() * 1e-39f));
        yield return ("the least of all values", Row(i => BitConverter.Int32BitsToSingle(i % 7) * (i % 2 == 0 ? 1 : -1)));
        yield return ("halves", Row(_ => (float)(Half)Bell()));
        yield return ("any values that are finite", Row(_ => AnyFinite()));

        float[] Row(Func<int, float> value) => [.. Enumerable.Range(0, RowLength).Select(value)];
        float Even() => (random.NextSingle() * 2) - 1;
        float Bell() => MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(MathF.Tau * random.NextSingle());
        float AnyFinite()
        {
            float value = BitConverter.Int32BitsToSingle(random.Next());
            return float.IsFinite(value) ? value : 1;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// Groups of weights side by side, one in each lane. ggml searches one group after the other, in sums whose order its results depend on; here each lane goes through the same operations
/// in the same order, eight groups at once, so that every bit is as there. Vectors along a group would add in another order.
/// </summary>
internal static class Lanes
{
    public const int Count = 8;

    /// <summary>1.5 * 2^23: behind it a float has no digits, so adding it rounds (to the even one of two as near).</summary>
    private const float Rounder = 12582912;
    private const int Mantissa = 0x007fffff;
    private const int Middle = 0x00400000;

    /// <summary>The whole number that is nearest (ggml's <c>nearest_int</c>); of a value beyond 2^22 nonsense, the same as there.</summary>
    public static int Nearest(float value) => (BitConverter.SingleToInt32Bits(value + Rounder) & Mantissa) - Middle;

    /// <summary>As <see cref="Nearest(float)"/>, of each lane, and held between two bounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Nearest(Vector256<float> value, int least, int most)
    {
        Vector256<int> nearest = ((value + Vector256.Create(Rounder)).AsInt32() & Vector256.Create(Mantissa)) - Vector256.Create(Middle);
        return Vector256.Max(Vector256.Create(least), Vector256.Min(Vector256.Create(most), nearest));
    }

    /// <summary>Puts groups of so many values as there are lanes' rows side by side.</summary>
    public static void Load(ReadOnlySpan<float> values, Span<Vector256<float>> lanes)
    {
        int size = lanes.Length;
        for (int i = 0; i < size; i++)
        {
            lanes[i] = Vector256.Create(
                values[i], values[size + i], values[(2 * size) + i], values[(3 * size) + i],
                values[(4 * size) + i], values[(5 * size) + i], values[(6 * size) + i], values[(7 * size) + i]);
        }
    }

    /// <summary>Puts what is side by side behind each other again: one row of <see cref="Load"/>.</summary>
    /// <param name="row">Values of 0 to 255.</param>
    /// <param name="index">Of the row.</param>
    /// <param name="size">Values of a group.</param>
    /// <param name="levels">Of all groups.</param>
    public static void Store(Vector256<int> row, int index, int size, Span<byte> levels)
    {
        for (int lane = 0; lane < Count; lane++)
            levels[(lane * size) + index] = (byte)row[lane];
    }
}

using System.Runtime.Intrinsics;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// Finds for each lane's weights the scale with which <c>scale * level</c> is nearest to them, where larger weights count more: after <c>make_qx_quants</c> of llama.cpp
/// (ggml/src/ggml-quants.c, MIT), with levels from -32 to 31.
/// </summary>
internal static class ScaleSearch
{
    /// <summary>How far levels reach below 0; they are kept above it.</summary>
    private const int Reach = 32;
    private const float Nothing = 1e-15f;
    private const float StepSize = 0.1f;
    private const int Steps = 9;

    /// <summary>What was found, and what the levels are made of.</summary>
    public readonly record struct Fit(Vector256<float> Scale, Vector256<float> Inverse, Vector256<float> IsNothing)
    {
        /// <summary>0 to 63; where there are only zeros, 0.</summary>
        public Vector256<int> Level(Vector256<float> value) => Vector256.AndNot(ScaleSearch.Level(Inverse * value), IsNothing.AsInt32());
    }

    /// <summary>0 to 63 of a number of scales.</summary>
    public static Vector256<int> Level(Vector256<float> scales) => Lanes.Nearest(scales, -Reach, Reach - 1) + Vector256.Create(Reach);

    /// <param name="values">Rows of each lane's group.</param>
    public static Fit Find(ReadOnlySpan<Vector256<float>> values)
    {
        Vector256<float> furthest = Vector256<float>.Zero, distance = Vector256<float>.Zero;
        foreach (Vector256<float> value in values)
        {
            Vector256<float> isFurther = Vector256.GreaterThan(Vector256.Abs(value), distance);
            furthest = Vector256.ConditionalSelect(isFurther, value, furthest);
            distance = Vector256.ConditionalSelect(isFurther, Vector256.Abs(value), distance);
        }
        Vector256<float> isNothing = Vector256.LessThan(distance, Vector256.Create(Nothing));

        Vector256<float> inverse = Vector256.Create((float)-Reach) / furthest;
        Sums sums = Sum(values, inverse);
        Vector256<float> scale = Vector256.AndNot(sums.XL / sums.L2, Vector256.Equals(sums.L2, Vector256<float>.Zero));
        Vector256<float> best = scale * sums.XL, bestInverse = inverse;
        for (int step = -Steps; step <= Steps; step++)
        {
            if (step == 0)
                continue;
            inverse = Vector256.Create(-(Reach + (StepSize * step))) / furthest;
            sums = Sum(values, inverse);
            Vector256<float> isBetter = Vector256.GreaterThan(sums.L2, Vector256<float>.Zero) & Vector256.GreaterThan(sums.XL * sums.XL, best * sums.L2);
            scale = Vector256.ConditionalSelect(isBetter, sums.XL / sums.L2, scale);
            best = Vector256.ConditionalSelect(isBetter, scale * sums.XL, best);
            bestInverse = Vector256.ConditionalSelect(isBetter, inverse, bestInverse);
        }
        return new(Vector256.AndNot(scale, isNothing), bestInverse, isNothing);
    }

    private static Sums Sum(ReadOnlySpan<Vector256<float>> values, Vector256<float> inverse)
    {
        Vector256<float> sumXL = Vector256<float>.Zero, sumL2 = Vector256<float>.Zero;
        foreach (Vector256<float> value in values)
        {
            Vector256<float> level = Vector256.ConvertToSingle(Lanes.Nearest(inverse * value, -Reach, Reach - 1));
            Vector256<float> weight = value * value;
            sumXL += weight * value * level;
            sumL2 += weight * level * level;
        }
        return new(sumXL, sumL2);
    }

    private readonly record struct Sums(Vector256<float> XL, Vector256<float> L2);
}

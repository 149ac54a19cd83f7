using System.Runtime.Intrinsics;

namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// Finds for each lane's weights the scale and the minimum (never above 0) with which <c>scale * level + minimum</c> is nearest to them, where larger weights count more: after
/// <c>make_qkx2_quants</c> of llama.cpp (ggml/src/ggml-quants.c, MIT).
/// </summary>
internal static class ScaleMinimumSearch
{
    private const float StepSize = 0.1f;

    /// <summary>What was found, and what the levels are made of: those of the guess that was best, before scale and minimum were fitted to them.</summary>
    public readonly record struct Fit(Vector256<float> Scale, Vector256<float> Minimum, Vector256<float> Inverse, Vector256<float> Base)
    {
        public Vector256<int> Level(Vector256<float> value, int most) => Lanes.Nearest(Inverse * (value - Base), 0, most);
    }

    /// <param name="values">Rows of each lane's group.</param>
    /// <param name="most">The highest level.</param>
    /// <param name="begin">Of the guesses at <c>most</c>; each is 0.1 further.</param>
    /// <param name="steps">Guesses, less one.</param>
    public static Fit Find(ReadOnlySpan<Vector256<float>> values, int most, float begin, int steps)
    {
        Span<Row> rows = stackalloc Row[values.Length];
        Weigh(values, rows);
        Vector256<float> minimum = values[0], maximum = values[0], sumW = rows[0].Weight, sumX = rows[0].Weight * values[0];
        foreach (ref Row row in rows[1..])
        {
            minimum = Vector256.ConditionalSelect(Vector256.LessThan(row.Value, minimum), row.Value, minimum);
            maximum = Vector256.ConditionalSelect(Vector256.GreaterThan(row.Value, maximum), row.Value, maximum);
            sumW += row.Weight;
            sumX += row.Weight * row.Value;
        }
        minimum = Vector256.ConditionalSelect(Vector256.GreaterThan(minimum, Vector256<float>.Zero), Vector256<float>.Zero, minimum);
        Vector256<float> isFlat = Vector256.Equals(maximum, minimum), flat = minimum;

        Vector256<float> inverse = Vector256.Create((float)most) / (maximum - minimum);
        Fit best = new(Vector256<float>.One / inverse, minimum, inverse, minimum);
        _ = Level(rows, inverse, minimum, most);
        Vector256<float> leastError = Error(rows, best.Scale, minimum);
        for (int step = 0; step <= steps; step++)
        {
            inverse = Vector256.Create(begin + (StepSize * step) + most) / (maximum - best.Minimum);
            Sums sums = Level(rows, inverse, best.Minimum, most);
            Vector256<float> divisor = (sumW * sums.L2) - (sums.L * sums.L);
            Vector256<float> scale = ((sumW * sums.XL) - (sumX * sums.L)) / divisor;
            minimum = ((sums.L2 * sumX) - (sums.L * sums.XL)) / divisor;
            Vector256<float> isAbove = Vector256.GreaterThan(minimum, Vector256<float>.Zero);
            minimum = Vector256.ConditionalSelect(isAbove, Vector256<float>.Zero, minimum);
            scale = Vector256.ConditionalSelect(isAbove, sums.XL / sums.L2, scale);
            Vector256<float> error = Error(rows, scale, minimum);
            Vector256<float> isBetter = Vector256.GreaterThan(divisor, Vector256<float>.Zero) & Vector256.LessThan(error, leastError);
            leastError = Vector256.ConditionalSelect(isBetter, error, leastError);
            best = Select(isBetter, new(scale, minimum, inverse, best.Minimum), best);
        }
        // Lanes of one value only were searched along with the others, for nothing.
        return Select(isFlat, new(Vector256<float>.Zero, flat, Vector256<float>.Zero, flat), best);
    }

    private static void Weigh(ReadOnlySpan<Vector256<float>> values, Span<Row> rows)
    {
        Vector256<float> squares = Vector256<float>.Zero;
        foreach (Vector256<float> value in values)
            squares += value * value;
        Vector256<float> mean = Vector256.Sqrt(squares / Vector256.Create((float)values.Length));
        for (int i = 0; i < values.Length; i++)
            (rows[i].Value, rows[i].Weight) = (values[i], mean + Vector256.Abs(values[i]));
    }

    private static Sums Level(Span<Row> rows, Vector256<float> inverse, Vector256<float> minimum, int most)
    {
        Vector256<float> sumL = Vector256<float>.Zero, sumL2 = Vector256<float>.Zero, sumXL = Vector256<float>.Zero;
        foreach (ref Row row in rows)
        {
            Vector256<float> level = Vector256.ConvertToSingle(Lanes.Nearest(inverse * (row.Value - minimum), 0, most));
            row.Level = level;
            Vector256<float> weighted = row.Weight * level;
            sumL += weighted;
            sumL2 += weighted * level;
            sumXL += weighted * row.Value;
        }
        return new(sumL, sumL2, sumXL);
    }

    private static Vector256<float> Error(Span<Row> rows, Vector256<float> scale, Vector256<float> minimum)
    {
        Vector256<float> error = Vector256<float>.Zero;
        foreach (ref Row row in rows)
        {
            Vector256<float> difference = (scale * row.Level) + minimum - row.Value;
            error += row.Weight * (difference * difference);
        }
        return error;
    }

    private static Fit Select(Vector256<float> which, Fit chosen, Fit other) => new(
        Vector256.ConditionalSelect(which, chosen.Scale, other.Scale), Vector256.ConditionalSelect(which, chosen.Minimum, other.Minimum),
        Vector256.ConditionalSelect(which, chosen.Inverse, other.Inverse), Vector256.ConditionalSelect(which, chosen.Base, other.Base));

    private struct Row
    {
        public Vector256<float> Value;
        public Vector256<float> Weight;
        public Vector256<float> Level;
    }

    private readonly record struct Sums(Vector256<float> L, Vector256<float> L2, Vector256<float> XL);
}

namespace OllamaMax.Edge.Requests;

/// <summary>Vectors of length 1.</summary>
internal static class UnitVector
{
    /// <summary>The direction of the vector's first numbers; of all of it where it has no more, or 0 are wanted. All zeros have none and stay so.</summary>
    public static float[] Of(float[] vector, int dimensions) => Of(vector.AsSpan(0, dimensions > 0 ? Math.Min(dimensions, vector.Length) : vector.Length));

    private static float[] Of(ReadOnlySpan<float> vector)
    {
        double sum = 0;
        foreach (float number in vector)
            sum += (double)number * number;
        double length = Math.Max(Math.Sqrt(sum), 1e-12);
        float[] unit = new float[vector.Length];
        for (int i = 0; i < unit.Length; i++)
            unit[i] = (float)(vector[i] / length);
        return unit;
    }
}

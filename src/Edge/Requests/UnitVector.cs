namespace OllamaMax.Edge.Requests;

/// <summary>Vectors of length 1.</summary>
internal static class UnitVector
{
    /// <summary>The vector's first numbers, brought to length 1 again; all of it where it has no more, or 0 are wanted.</summary>
    public static ReadOnlySpan<float> Cut(float[] vector, int dimensions) =>
        dimensions > 0 && dimensions < vector.Length ? Of(vector.AsSpan(0, dimensions)) : vector;

    /// <summary>The vector's direction; all zeros have none and stay so.</summary>
    public static float[] Of(ReadOnlySpan<float> vector)
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

namespace OllamaMax.TestKit.Models;

/// <summary>Numbers from a seed, the same on every machine (SplitMix64).</summary>
internal sealed class RandomRow(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        ulong value = _state += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    public int Next(int bound) => (int)(Next() % (ulong)bound);

    /// <summary>Fills a row evenly from -<paramref name="amplitude"/> to <paramref name="amplitude"/>.</summary>
    public void Fill(Span<float> row, float amplitude)
    {
        for (int i = 0; i < row.Length; i++)
            row[i] = (((Next() >> 40) * (1f / (1 << 23))) - 1) * amplitude;
    }
}

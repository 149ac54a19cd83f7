namespace OllamaMax.Placement;

/// <summary>
/// Measured speeds as doublings around the usual one. Coarse on purpose: a worker's place in the order of a hash follows from it, and is not to change with
/// every measurement; and bounded, so that a figure that is wrong, or a lie, makes a worker four times as attractive at most.
/// </summary>
public static class PaceScale
{
    public const int Slowest = -2;
    public const int Fastest = 2;

    /// <summary>Tokens per second that no worker makes of one job.</summary>
    private const double Absurd = 100_000;

    /// <summary>The usual speed among these: their median; null where none is known.</summary>
    /// <param name="speeds">Tokens per second; null: not known. Sorted by this.</param>
    public static double? Usual(Span<double?> speeds)
    {
        speeds.Sort();
        int unknown = 0;
        while (unknown < speeds.Length && speeds[unknown] is null)
            unknown++;
        return unknown == speeds.Length ? null : speeds[unknown + ((speeds.Length - unknown) / 2)];
    }

    /// <summary>A report's figure, or null where it says nothing that can be.</summary>
    public static double? Known(double? tokensPerSecond) => tokensPerSecond is > 0 and < Absurd ? tokensPerSecond : null;

    public static int Of(double? speed, double? usual)
    {
        if (speed is not { } own || usual is not { } others)
            return 0;
        // To the nearest doubling: the exponent of what is half a doubling more.
        int doublings = Math.ILogB(own / others * Math.Sqrt(2));
        return Math.Clamp(doublings, Slowest, Fastest);
    }
}

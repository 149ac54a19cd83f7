namespace OllamaMax.Bench.Engine;

/// <summary>When each token of each answer came, in milliseconds from the start of all of them.</summary>
internal sealed record Timeline(double[][] Stamps)
{
    /// <summary>Until the first token of the first answer.</summary>
    public double FirstToken => Stamps[0][0];

    /// <summary>
    /// Tokens a second of all answers together, while all of them run: from the last one's first token to the first one's last.
    /// Not a number when they never ran together.
    /// </summary>
    public double TokensPerSecond
    {
        get
        {
            double from = Stamps.Max(answer => answer[0]);
            double to = Stamps.Min(answer => answer[^1]);
            return to <= from ? double.NaN : Stamps.Sum(answer => answer.Count(at => at > from && at <= to)) / (to - from) * 1000;
        }
    }
}

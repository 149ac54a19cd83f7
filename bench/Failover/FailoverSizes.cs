namespace OllamaMax.Bench.Failover;

/// <summary>How much is measured.</summary>
internal sealed record FailoverSizes
{
    public static readonly FailoverSizes Full = new();

    public static readonly FailoverSizes Quick = new() { Kills = 1 };

    public int Kills { get; init; } = 200;

    /// <summary>Tokens of an answer.</summary>
    public int Tokens { get; init; } = 240;

    /// <summary>Of the moments of the kills.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The worker is killed after the client has read one to so many pieces of the answer; it has more than that.</summary>
    public int LatestPiece { get; init; } = 20;
}

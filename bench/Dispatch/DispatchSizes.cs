namespace OllamaMax.Bench.Dispatch;

/// <summary>How much is measured.</summary>
internal sealed record DispatchSizes
{
    public static DispatchSizes Full { get; } = new();

    public static DispatchSizes Quick { get; } = new()
    {
        WarmUp = 1,
        FirstTokens = 3,
        Warm = 2,
        Idle = 1,
        IdleTime = TimeSpan.FromMilliseconds(100),
        RateRepeats = 1,
        RateTime = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>Requests before the first that counts: code is compiled in tiers.</summary>
    public int WarmUp { get; init; } = 60;

    /// <summary>Samples of the time to the first token, of each kind.</summary>
    public int FirstTokens { get; init; } = 200;

    /// <summary>Answers that are followed token by token, and jobs that are queued, on a warm system.</summary>
    public int Warm { get; init; } = 50;

    /// <summary>The same after a pause.</summary>
    public int Idle { get; init; } = 5;

    /// <summary>Longer than connections are kept unused and than the edge believes its view of the cluster, a minute each.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(65);

    public int RateRepeats { get; init; } = 3;

    public TimeSpan RateTime { get; init; } = TimeSpan.FromSeconds(3);

    public IReadOnlyList<int> Clients { get; init; } = [1, 4, 16, 64];

    /// <summary>Tokens of a followed answer, and the pause between two of them.</summary>
    public int FollowedTokens { get; init; } = 40;

    public TimeSpan TokenPause { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Tokens of an answer where requests are counted.</summary>
    public int ShortTokens { get; init; } = 8;
}

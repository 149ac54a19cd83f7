namespace OllamaMax.Bench.Auth;

/// <summary>How much is measured.</summary>
internal sealed record AuthSizes
{
    public static AuthSizes Full { get; } = new();

    public static AuthSizes Quick { get; } = new() { WarmUp = 1, Requests = 3 };

    /// <summary>Turns before the first that counts: code is compiled in tiers.</summary>
    public int WarmUp { get; init; } = 300;

    public int Requests { get; init; } = 2000;
}

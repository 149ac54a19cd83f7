namespace OllamaMax.Bench.Placement;

/// <summary>How large the simulated cluster is, and what it is asked for.</summary>
internal sealed record PlacementSizes
{
    public static readonly PlacementSizes Full = new();

    public static readonly PlacementSizes Quick = new()
    {
        Workers = 40,
        Edges = 3,
        Requests = 600,
        Rate = 18,
        Groups = 20,
        WarmUp = TimeSpan.FromSeconds(10),
        Decisions = 200,
        FloodTime = TimeSpan.FromMinutes(5),
    };

    public int Workers { get; init; } = 1000;

    public int Edges { get; init; } = 20;

    public int Requests { get; init; } = 100_000;

    /// <summary>Requests a second, at all edges together.</summary>
    public double Rate { get; init; } = 450;

    /// <summary>System prompts that requests share; the n-th is asked for 1/n as often as the first.</summary>
    public int Groups { get; init; } = 500;

    /// <summary>Requests that arrive before this do not count: memories are empty, speeds unknown, and conversations at their first turn.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether workers report how fast they are.</summary>
    public bool TellsSpeeds { get; init; } = true;

    /// <summary>Of fleet and traffic.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Choices whose time is taken.</summary>
    public int Decisions { get; init; } = 20_000;

    /// <summary>Virtual time that one tenant floods a model.</summary>
    public TimeSpan FloodTime { get; init; } = TimeSpan.FromHours(2);
}

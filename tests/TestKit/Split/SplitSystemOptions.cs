namespace OllamaMax.TestKit.Split;

/// <summary>How a <see cref="SplitSystem"/> is started.</summary>
public sealed record SplitSystemOptions
{
    /// <summary>A GGUF file, published under its own name.</summary>
    public required string Model { get; init; }

    public int Workers { get; init; } = 2;

    /// <summary>On SIGTERM: seconds for a worker to finish what runs before it hands it back.</summary>
    public double DrainSeconds { get; init; } = 0.5;

    /// <summary>Put at the end of every worker's command line.</summary>
    public IReadOnlyList<string> WorkerArguments { get; init; } = [];

    /// <summary>What the edge's environment has beyond the test's own.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
}

namespace OllamaMax.TestKit;

/// <summary>How a <see cref="JoinedWorker"/> is started.</summary>
public sealed record JoinedWorkerOptions
{
    public string Name { get; init; } = "joined";

    /// <summary>Folder of its identity and replicas; null for one that is deleted at the end.</summary>
    public string? Data { get; init; }

    /// <summary>On SIGTERM: seconds for what runs to finish before it is handed back.</summary>
    public double DrainSeconds { get; init; } = 0.5;

    /// <summary>Put at the end of the command line.</summary>
    public IReadOnlyList<string> MoreArguments { get; init; } = [];

    /// <summary>What the environment has beyond the test's own; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Takes each line that it writes, on any thread; must not throw.</summary>
    public Action<string> OnLine { get; init; } = _ => { };
}

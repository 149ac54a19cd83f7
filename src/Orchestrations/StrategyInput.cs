namespace OllamaMax.Orchestrations;

/// <summary>
/// What an orchestration is started with. Small whatever the request is: prompts and texts stay where the activities find them, by <see cref="Id"/>.
/// </summary>
public sealed record StrategyInput
{
    /// <summary>Of the job that its client sees, and of the orchestration.</summary>
    public required string Id { get; init; }

    /// <summary>The models to ask, one for each branch; one alone for <c>map_reduce</c>.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>With <c>ensemble</c>: who judges; null: the answers vote.</summary>
    public string? JudgeModel { get; init; }

    /// <summary>With <c>map_reduce</c>: answers that are made into one at a time, 2 or more.</summary>
    public int FanIn { get; init; } = 8;

    /// <summary>Branches that are under way at a time.</summary>
    public required int MaxParallel { get; init; }

    /// <summary>Jobs that a branch gets beyond its first, should that fail.</summary>
    public required int Retries { get; init; }

    /// <summary>When it is over, whatever its state.</summary>
    public required DateTimeOffset Deadline { get; init; }
}

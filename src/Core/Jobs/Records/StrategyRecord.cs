namespace OllamaMax.Jobs.Records;

/// <summary>A job with a strategy, as its client submitted it; how far it is its orchestration knows. Never changed.</summary>
public sealed record StrategyRecord
{
    public int Version { get; init; } = 1;

    /// <summary>As a job's (<see cref="JobId"/>); its orchestration has the same.</summary>
    public required string Id { get; init; }

    /// <summary>Who submitted it; its branches are submitted in the same name.</summary>
    public required Submitter Submitter { get; init; }

    /// <summary>Name of the <see cref="KeyedSubmission"/> that it came of; null: of none.</summary>
    public string? Submission { get; init; }

    /// <summary>As the client wrote it; the name of an orchestrator.</summary>
    public required string Strategy { get; init; }

    /// <summary>The model's name, or those of several, as the client wrote them.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>After this it fails, whatever its state.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>From then on it is unknown. Reckoned from the deadline: when it will end nobody knew yet.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

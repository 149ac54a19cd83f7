namespace OllamaMax.Jobs.Records;

/// <summary>A batch of OpenAI's <c>/v1/batches</c>, as its client submitted it; how far it is its orchestration knows. Never changed.</summary>
public sealed record BatchRecord
{
    public int Version { get; init; } = 1;

    /// <summary>As a job's (<see cref="JobId"/>), and its orchestration's; clients see it behind <c>batch_</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Who submitted it; its lines are submitted in the same name.</summary>
    public required Submitter Submitter { get; init; }

    /// <summary>Path of the API's call that every line is one of.</summary>
    public required string Endpoint { get; init; }

    public required string InputFileId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Lines that have not ended by then are not run any more.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>From then on it is unknown.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the client wants to find again beside it.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

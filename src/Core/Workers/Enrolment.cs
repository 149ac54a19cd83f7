namespace OllamaMax.Workers;

/// <summary>What a new worker says, once, with its join token as bearer.</summary>
/// <param name="PublicKey">The worker's own key, SubjectPublicKeyInfo in base64; its other half signs every renewal and never leaves the box.</param>
public sealed record EnrolmentRequest(int Version, string Name, string PublicKey);

/// <summary>Who has been let in; kept at <c>cluster/enrolments/{id}</c>.</summary>
public sealed record EnrolmentRecord(string Id, string Name, string PublicKey, DateTimeOffset EnrolledAt);

/// <summary>Asks for fresh capabilities; authenticated by a token that the worker signs with its key.</summary>
/// <param name="Models">Digests of the weights whose queues it looks into.</param>
public sealed record CapabilityRequest(int Version, IReadOnlyList<string> Models)
{
    /// <summary>Models whose queues one worker can have; it hears of other models' jobs by nudges.</summary>
    public const int MostModels = 1000;
}

/// <summary>A join token's trace in storage: its hash is the blob's name, whoever deletes the blob has used it.</summary>
public sealed record JoinTokenRecord(DateTimeOffset ExpiresAt);

/// <summary>All that a worker may do, each for a short while. No account key is among it.</summary>
public sealed record WorkerCapabilities
{
    /// <summary>The edge's protocol.</summary>
    public required int Version { get; init; }

    public required string WorkerId { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Where to write the heartbeat; the URL allows that blob alone.</summary>
    public required string HeartbeatUrl { get; init; }

    /// <summary>Container of the models, read only.</summary>
    public required string ModelsUrl { get; init; }

    public required IReadOnlyList<QueueCapability> Queues { get; init; }

    /// <summary>Where to listen.</summary>
    public required string SignalRUrl { get; init; }

    public required string SignalRToken { get; init; }

    public override string ToString() => $"capabilities of {WorkerId} until {ExpiresAt:O}";
}

/// <param name="Url">The queue, with leave to get and delete messages.</param>
public sealed record QueueCapability(string Model, Jobs.Band Band, string Url)
{
    public override string ToString() => $"{Model} {Band}";
}

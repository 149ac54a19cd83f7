using System.Text.Json.Serialization;
using OllamaMax.Jobs;
using OllamaMax.Security;

namespace OllamaMax.Streaming;

/// <summary>
/// Everything a worker has to say to one edge at one moment. Sent at once for a first token or an answer,
/// otherwise coalesced; empty but for the counters when jobs run and have nothing to say.
/// </summary>
public sealed record WorkerMessage
{
    public required int Version { get; init; }

    public required string WorkerId { get; init; }

    /// <summary>Decode steps of all engines so far.</summary>
    public required long Steps { get; init; }

    public required int SlotsUsed { get; init; }

    public required int SlotsTotal { get; init; }

    public IReadOnlyList<GrantAnswer> Answers { get; init; } = [];

    public IReadOnlyList<Claim> Claims { get; init; } = [];

    public IReadOnlyList<AttemptOutput> Outputs { get; init; } = [];

    /// <summary>What stands for <see cref="Outputs"/> of attempts that were granted under a seal.</summary>
    /// <remarks>A worker of the version before has no such field, and the serializer then sets null.</remarks>
    public IReadOnlyList<SealedOutput> Sealed { get; init => field = value ?? []; } = [];

    /// <summary>Attempts of this edge that are alive, those without output included.</summary>
    public IReadOnlyList<LiveAttempt> Alive { get; init; } = [];
}

/// <param name="Reason">For people: why not.</param>
public sealed record GrantAnswer(string JobId, string Nonce, bool Accepted, string? Reason = null);

/// <summary>The worker holds this queue message and asks to run its job. With it the owner can delete the message.</summary>
public sealed record Claim(string JobId, string Model, Band Band, string MessageId, string PopReceipt);

/// <param name="Steps">Grows while the attempt's engine decodes; null where there is nothing to count, such as while the model is brought into memory.</param>
public sealed record LiveAttempt(string JobId, string Nonce, long? Steps = null);

public sealed record AttemptOutput(string JobId, string Nonce, Chunk Chunk)
{
    /// <summary>What it is to be sealed with before it is sent; null: it goes as it is.</summary>
    [JsonIgnore]
    public AttemptSeal? Seal { get; init; }
}

using System.Text.Json.Serialization;
using OllamaMax.Jobs;
using OllamaMax.Security;

namespace OllamaMax.Streaming;

/// <summary>
/// Leave to run one attempt, and everything needed for it. Pushed when a worker seems to have a free slot, or sent in answer to
/// a claim; either way the worker answers whether it takes it. The same grant may come twice.
/// </summary>
public sealed record GrantMessage
{
    public required int Version { get; init; }

    public required string JobId { get; init; }

    public required Attempt Attempt { get; init; }

    /// <summary>The job itself; null when it is too large for a message and lies at <see cref="PayloadUrl"/>.</summary>
    public Job? Job { get; init; }

    /// <summary>Where the job lies as JSON, or under the attempt's seal, readable by whoever has this URL.</summary>
    public string? PayloadUrl { get; init; }

    /// <summary>Time left until the job's deadline when this was sent: clocks of different machines are never compared.</summary>
    public required TimeSpan Remaining { get; init; }

    /// <summary>Leave to send to the job's edge, and to nobody else.</summary>
    public required ReplyCapability Reply { get; init; }

    /// <summary>Tokens of the answer that the owner has already: go on after the last of them.</summary>
    public IReadOnlyList<int> Resume { get; init; } = [];

    /// <summary>Where the owner encrypts: what stands for <see cref="Job"/> and <see cref="Resume"/>, which are empty then.</summary>
    public SealedGrant? Sealed { get; init; }

    /// <summary>With <see cref="Sealed"/>, once it was opened: what the attempt's output is sealed with. Never sent.</summary>
    [JsonIgnore]
    public AttemptSeal? Seal { get; init; }
}

/// <summary>A claim is refused: the job is in other hands, or over.</summary>
public sealed record DenyMessage(string JobId);

/// <summary>How far the owner has each answer without a gap; once a second, and at once when something is missing.</summary>
public sealed record AckMessage(IReadOnlyList<Ack> Jobs);

/// <param name="Nonce">The attempt.</param>
/// <param name="Next">Index of the first token that the owner does not have.</param>
/// <param name="Missing">Something after <paramref name="Next"/> has come: send again from there.</param>
/// <param name="Ended">The owner has the end as well and wants nothing more.</param>
public sealed record Ack(string Nonce, int Next, bool Missing = false, bool Ended = false);

/// <summary>Stop this attempt and free its slot; nobody listens to it any more.</summary>
public sealed record StopMessage(string JobId, string Nonce);

/// <summary>What an edge says to itself, to know that it hears.</summary>
public sealed record EchoMessage(long Number);

/// <summary>Something waits in a model's queue.</summary>
/// <param name="Queue">URL of the queue with a signature that allows to get and delete messages of it.</param>
public sealed record NudgeMessage(string Model, Band Band, string Queue);

/// <summary>A model is to leave the worker's memory as soon as no job uses it. A worker that does not hold it, or is older than this message, ignores it.</summary>
/// <param name="Model">Digest of the weights.</param>
public sealed record UnloadMessage(string Model);

/// <summary>What the leader orders a worker to be, as often as it takes. One of an older epoch than a worker has heard of comes from who leads no more, and is ignored.</summary>
/// <param name="Epoch">In which the sender leads.</param>
/// <param name="Drain">Take nothing new, and finish what runs; false: take jobs again.</param>
public sealed record DirectiveMessage(int Version, long Epoch, bool Drain);

/// <summary>What the leader wants of a worker's copies, until its reports show it. Fenced as <see cref="DirectiveMessage"/> is.</summary>
/// <param name="Epoch">In which the sender leads.</param>
/// <param name="Ensure">Digests of weights that it is to hold, the most urgent first.</param>
/// <param name="Evict">Those to delete, unless they are in use.</param>
/// <param name="Pinned">Of those that it holds, all that are to stay whatever room others need.</param>
/// <param name="Warm">Of those that it holds, all that are to be in memory and stay there; null: an older leader, which has no wish.</param>
public sealed record ReplicaOrdersMessage(
    int Version, long Epoch, IReadOnlyList<string> Ensure, IReadOnlyList<string> Evict, IReadOnlyList<string> Pinned, IReadOnlyList<string>? Warm = null);

/// <summary>People want a copy not to be made, by any worker that shares the disk; one that is there is none of the message's business.</summary>
/// <param name="Model">Digest of the weights.</param>
public sealed record CancelTransferMessage(string Model);

/// <summary>People want a copy after all that was cancelled. A worker of a version before it does not know the message, and makes none until its time is over.</summary>
/// <param name="Model">Digest of the weights.</param>
/// <param name="Begin">This worker is to make it now; otherwise it only may, for whoever wants it.</param>
public sealed record ResumeTransferMessage(string Model, bool Begin);

/// <summary>The cluster's state has changed: edges read it.</summary>
/// <param name="Version">Of the state now.</param>
public sealed record ClusterChangedMessage(long Version);

/// <summary>
/// A token that lets its holder send to one SignalR user.
/// </summary>
/// <param name="Url">The user's send URL; the token's audience.</param>
public sealed record ReplyCapability(string Url, string Token, DateTimeOffset ExpiresAt)
{
    public override string ToString() => Url;
}

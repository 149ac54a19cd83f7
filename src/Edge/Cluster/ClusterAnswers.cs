using System.Text.Json.Serialization;
using OllamaMax.SignalR;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>Bodies of the cluster's own endpoints (DESIGN, Own endpoints): fields may be added, not changed.</summary>
/// <param name="Token">Good for one worker, once.</param>
/// <param name="ExpiresAt">Until then.</param>
/// <param name="LoopbackPorts">Of storage and SignalR, where these listen on the loopback of the edge's machine alone: a worker elsewhere needs them there too, as through a tunnel.</param>
internal sealed record JoinTokenAnswer(string Token, DateTimeOffset ExpiresAt, IReadOnlyList<int> LoopbackPorts);

internal sealed record WorkersAnswer(IReadOnlyList<WorkerAnswer> Workers);

/// <param name="Leader">Who leads, or has led last; null where nobody has yet.</param>
/// <param name="Epoch">Grows with every leader; null where nobody has led yet.</param>
/// <param name="Error">Why the cluster's state cannot be read; left out where it can.</param>
internal sealed record StatusAnswer(
    EdgeAnswer Edge,
    LeaderAnswer? Leader,
    long? Epoch,
    WorkerCountsAnswer Workers,
    IReadOnlyList<QueueAnswer> Queues,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

/// <summary>The edge that answers.</summary>
internal sealed record EdgeAnswer(string Id, int Pid, string Version);

/// <param name="Id">Of an edge.</param>
/// <param name="Since">By that edge's clock.</param>
/// <param name="LeaseExpires">Unless it is renewed before; from another edge than the leader: at the latest. Null: it has run out, and nobody leads.</param>
internal sealed record LeaderAnswer(string Id, DateTimeOffset Since, DateTimeOffset? LeaseExpires);

internal sealed record WorkerCountsAnswer(int Alive, int Suspect, int Draining, int Gone);

internal sealed record QueuesAnswer(IReadOnlyList<QueueAnswer> Queues);

/// <param name="Model">One of the names of the weights; null where none is published any more.</param>
/// <param name="Band">interactive or batch.</param>
/// <param name="Queue">Its name in storage.</param>
/// <param name="Messages">Those that a worker holds included; approximate, as storage counts.</param>
internal sealed record QueueAnswer(string? Model, string Band, string Queue, int Messages);

/// <param name="State">alive, suspect, draining or gone.</param>
/// <param name="HeartbeatAge">Seconds since its last report, by storage's clock.</param>
/// <param name="Labels">By key, the site among them.</param>
/// <param name="TokensPerSecond">All slots together, as last measured; null before its first job.</param>
internal sealed record WorkerAnswer(
    string Id,
    string Name,
    string Host,
    int Pid,
    string? Site,
    IReadOnlyDictionary<string, string> Labels,
    string State,
    SlotsAnswer Slots,
    IReadOnlyList<WorkerModelAnswer> Models,
    IReadOnlyList<WorkerDevice> Devices,
    MemoryAnswer Memory,
    double? TokensPerSecond,
    string Version,
    int Protocol,
    [property: JsonPropertyName("heartbeat_age_seconds")] double HeartbeatAge)
{
    /// <summary>
    /// People want it to take nothing new. One that is draining and is not to is about to end, or has not said yet that it takes jobs again.
    /// </summary>
    public bool DrainRequested { get; init; }

    /// <summary>When it came into its state, by storage's clock, as the leader saw it; null where no leader has seen it yet.</summary>
    public DateTimeOffset? StateSince { get; init; }

    /// <summary>It drains and runs nothing any more: it can be switched off.</summary>
    public bool Drained { get; init; }

    /// <summary>What in its reports cannot be; what it says is believed within bounds.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];
}

internal sealed record SlotsAnswer(int Used, int Total);

/// <summary>Bytes of the machine's own memory.</summary>
internal sealed record MemoryAnswer(long Total, long Free);

/// <param name="Name">One of the names that the weights are published under; null when there is none any more.</param>
/// <param name="Hangs">Its decoder stands still, and the worker takes nothing for it.</param>
/// <param name="Bytes">Memory it takes, of GPUs or not; null where it is not loaded.</param>
/// <param name="VramBytes">Of them, those that are a GPU's.</param>
/// <param name="TokensPerSecond">All its jobs together, as last measured; null before its first.</param>
/// <param name="JobTokensPerSecond">One of its jobs, the reading of the prompt included: what placement goes by.</param>
internal sealed record WorkerModelAnswer(
    string? Name, string Digest, bool Loaded, bool Hangs, long? Bytes, long? VramBytes, double? TokensPerSecond, double? JobTokensPerSecond);

/// <summary>SignalR's own spelling.</summary>
internal sealed record NegotiateAnswer(
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("accessToken")] string AccessToken)
{
    public static NegotiateAnswer Of(Negotiation negotiation) => new(negotiation.Url, negotiation.AccessToken);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(QueuesAnswer))]
[JsonSerializable(typeof(JoinTokenAnswer))]
[JsonSerializable(typeof(WorkersAnswer))]
[JsonSerializable(typeof(WorkerAnswer))]
[JsonSerializable(typeof(NegotiateAnswer))]
internal sealed partial class ClusterJson : JsonSerializerContext;

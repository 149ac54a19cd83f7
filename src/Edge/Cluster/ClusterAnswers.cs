using System.Text.Json.Serialization;
using OllamaMax.SignalR;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>Bodies of the cluster's own endpoints (DESIGN, Own endpoints): fields may be added, not changed.</summary>
internal sealed record JoinTokenAnswer(string Token, DateTimeOffset ExpiresAt);

internal sealed record WorkersAnswer(IReadOnlyList<WorkerAnswer> Workers);

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
    [property: JsonPropertyName("heartbeat_age_seconds")] double HeartbeatAge);

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
[JsonSerializable(typeof(JoinTokenAnswer))]
[JsonSerializable(typeof(WorkersAnswer))]
[JsonSerializable(typeof(WorkerAnswer))]
[JsonSerializable(typeof(NegotiateAnswer))]
internal sealed partial class ClusterJson : JsonSerializerContext;

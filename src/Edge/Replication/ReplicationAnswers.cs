using System.Text.Json.Serialization;
using OllamaMax.Replication;

namespace OllamaMax.Edge.Replication;

/// <summary>Body and answer of a model's policy.</summary>
/// <param name="MaxReplicas">Null: any number.</param>
/// <param name="Labels">By key, the site among them.</param>
/// <param name="ExcludedLabels">The values by key.</param>
/// <param name="PreferredLabels">The values by key.</param>
internal sealed record PolicyAnswer(
    int MinReplicas,
    int? MaxReplicas,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, IReadOnlyList<string>> ExcludedLabels,
    IReadOnlyDictionary<string, IReadOnlyList<string>> PreferredLabels,
    bool Warm,
    bool Pin,
    int Priority)
{
    private static readonly Dictionary<string, IReadOnlyList<string>> None = [];

    public static PolicyAnswer Of(ModelPolicy policy) => new(
        policy.MinReplicas, policy.MaxReplicas, policy.Labels, policy.ExcludedLabels ?? None, policy.PreferredLabels ?? None, policy.Warm, policy.Pin, policy.Priority);
}

internal sealed record ReplicatedModelsAnswer(IReadOnlyList<ReplicatedModelAnswer> Models);

/// <param name="Digest">Of the weights.</param>
/// <param name="Size">Bytes of the weights.</param>
/// <param name="Policy">Null where the name has none.</param>
/// <param name="Desired">Copies that policies want at least, of all names of the weights.</param>
/// <param name="Actual">Copies that count.</param>
/// <param name="Warm">Copies that a policy keeps in memory, and that are there; null where none wants any.</param>
/// <param name="InProgress">Copies on their way, or about to be ordered.</param>
/// <param name="BlockedBecause">Why more cannot be had; null where that is not so.</param>
/// <param name="Replicas">The copies of its weights, by worker.</param>
internal sealed record ReplicatedModelAnswer(
    string Name,
    string Digest,
    long Size,
    PolicyAnswer? Policy,
    int Desired,
    int Actual,
    int? Warm,
    int InProgress,
    string? BlockedBecause,
    IReadOnlyList<ReplicaAnswer> Replicas);

/// <inheritdoc cref="ReplicatedModelAnswer"/>
internal sealed record ReplicasAnswer(
    string Model, string Digest, long Size, int Desired, int Actual, int? Warm, int InProgress, string? BlockedBecause, IReadOnlyList<ReplicaAnswer> Replicas);

/// <param name="State">loaded, loading, on_disk, fetching, failed or cancelled.</param>
/// <param name="Bytes">On its disk.</param>
/// <param name="Error">Why it failed; left out where it did not.</param>
internal sealed record ReplicaAnswer(
    string WorkerId, string Digest, string State, long Bytes, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PolicyAnswer))]
[JsonSerializable(typeof(ReplicatedModelsAnswer))]
[JsonSerializable(typeof(ReplicasAnswer))]
internal sealed partial class ReplicationJson : JsonSerializerContext;

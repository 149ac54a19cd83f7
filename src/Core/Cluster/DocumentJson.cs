using System.Text.Json.Serialization;

namespace OllamaMax.Cluster;

/// <summary>What is asked first of any document.</summary>
internal sealed record SchemaOnly(int Schema);

/// <summary>JSON of the documents that the leader owns.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(SchemaOnly))]
[JsonSerializable(typeof(LeaderDocument<ClusterState>))]
[JsonSerializable(typeof(LeaderDocument<OrphanMarks>))]
internal sealed partial class DocumentJson : JsonSerializerContext;

using System.Text.Json.Serialization;

namespace OllamaMax.TaskHub.Instances;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(InstanceRecord))]
internal sealed partial class InstanceJson : JsonSerializerContext;

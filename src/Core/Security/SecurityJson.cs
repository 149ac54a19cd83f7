using System.Text.Json.Serialization;

namespace OllamaMax.Security;

/// <summary>JSON of what is stored about keys, their use, and acts.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(KeyRecord))]
[JsonSerializable(typeof(SharedUse))]
[JsonSerializable(typeof(DayUsage))]
[JsonSerializable(typeof(MonthUsage))]
[JsonSerializable(typeof(AuditRecord))]
public sealed partial class SecurityJson : JsonSerializerContext;

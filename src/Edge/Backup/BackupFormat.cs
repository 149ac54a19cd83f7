using System.Text.Json.Serialization;

namespace OllamaMax.Edge.Backup;

/// <summary>
/// JSON lines, each <c>{"kind":…,"value":…}</c>: a header, one state, any number of the others, an end. A change that an older edge would read wrongly raises the version, or the schema of
/// the kind; kinds' older schemas are read for good.
/// </summary>
internal static class BackupFormat
{
    public const string Name = "ollamamax-backup";
    public const int Version = 1;
    public const string ContentType = "application/x-ndjson";

    /// <summary>Bytes of a file. A Functions host cuts bodies there.</summary>
    public const int MostBytes = 100 << 20;

    public const string Header = "header";
    public const string State = "state";
    public const string Key = "key";
    public const string Enrolment = "enrolment";
    public const string Model = "model";
    public const string Usage = "usage";
    public const string End = "end";

    /// <summary>The schemas that are written, and the highest that are read.</summary>
    public static IReadOnlyDictionary<string, int> Schemas(int state) =>
        new Dictionary<string, int> { [State] = state, [Key] = 1, [Enrolment] = 1, [Model] = 1, [Usage] = 1 };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BackupHeader))]
[JsonSerializable(typeof(BackupEnd))]
[JsonSerializable(typeof(BackupModel))]
[JsonSerializable(typeof(RestoreAnswer))]
internal sealed partial class BackupJson : JsonSerializerContext;

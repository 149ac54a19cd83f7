using System.Text.Json.Serialization;

namespace OllamaMax.Cli.Doctor;

internal enum Verdict
{
    Ok,

    /// <summary>Works, with something to know; or only some uses need it.</summary>
    Note,

    Missing,
}

/// <param name="Subject">What was looked at, in a word or two.</param>
/// <param name="Verdict">How it is.</param>
/// <param name="Says">What was found.</param>
/// <param name="Mend">What to do about it; null where there is nothing to do.</param>
internal sealed record Finding(string Subject, Verdict Verdict, string Says, string? Mend = null)
{
    public static Finding Ok(string subject, string says) => new(subject, Verdict.Ok, says);
}

internal sealed record Findings([property: JsonPropertyName("checks")] IReadOnlyList<Finding> Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Findings))]
internal sealed partial class FindingsJson : JsonSerializerContext;

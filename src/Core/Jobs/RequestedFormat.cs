using System.Text.Json;
using OllamaMax.Grammars;

namespace OllamaMax.Jobs;

/// <summary>The form that an answer must have.</summary>
/// <param name="Grammar">GBNF, for engines that are held to it.</param>
/// <param name="Source"><c>"json"</c> or a JSON Schema, what it was made of: for servers that are forwarded to.</param>
public sealed record RequestedFormat(string Grammar, JsonElement Source)
{
    /// <summary>Any JSON object.</summary>
    public static RequestedFormat Json { get; } = new(JsonGrammar.AnyObject, JsonElement.Parse("\"json\""));
}

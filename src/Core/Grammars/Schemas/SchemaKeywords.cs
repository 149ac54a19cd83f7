using System.Collections.Frozen;
using System.Text.Json;

namespace OllamaMax.Grammars.Schemas;

/// <summary>Which keywords a schema may have. One that is not known here is refused: ignored, the answer would not be what was asked for.</summary>
internal static class SchemaKeywords
{
    private static readonly FrozenSet<string> s_supported = FrozenSet.Create(
        "type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions",
        "properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties",
        "items", "prefixItems", "minItems", "maxItems", "uniqueItems",
        "minLength", "maxLength", "pattern", "format",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

    /// <summary>They constrain nothing. The discriminator is OpenAPI's hint for readers, and stands beside oneOf.</summary>
    private static readonly FrozenSet<string> s_annotations = FrozenSet.Create(
        "$schema", "$id", "$comment", "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "discriminator");

    private static readonly FrozenDictionary<string, string> s_refused = new Dictionary<string, string>
    {
        ["not"] = "is not supported: a grammar cannot say what an answer is not",
        ["if"] = "is not supported: write oneOf, with a required property whose constant tells the branches apart",
        ["then"] = "is not supported: write oneOf, with a required property whose constant tells the branches apart",
        ["else"] = "is not supported: write oneOf, with a required property whose constant tells the branches apart",
        ["dependentRequired"] = "is not supported: write anyOf with required",
        ["dependentSchemas"] = "is not supported: write anyOf",
        ["dependencies"] = "is not supported: write anyOf",
        ["unevaluatedProperties"] = "is not supported: write additionalProperties",
        ["unevaluatedItems"] = "is not supported: write items",
        ["additionalItems"] = "is not supported: write prefixItems and items, as in draft 2020-12",
        ["nullable"] = "is not supported: write \"type\": [\"…\", \"null\"]",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <exception cref="SchemaException">There is one that is not supported.</exception>
    public static void Check(SchemaNode node)
    {
        foreach (JsonProperty keyword in node.Element.EnumerateObject())
        {
            if (s_supported.Contains(keyword.Name) || s_annotations.Contains(keyword.Name) || keyword.Name.StartsWith("x-", StringComparison.Ordinal))
                continue;
            throw node.Refuse(keyword.Name, s_refused.GetValueOrDefault(keyword.Name, "is not supported"));
        }
        // Within a schema of another name, "#" would mean that one.
        if (node.Location != "#" && node.Element.TryGetProperty("$id", out JsonElement id)
            && !(id.ValueKind == JsonValueKind.String && id.GetString()!.StartsWith('#')))
        {
            throw node.Refuse("$id", "is supported at the top only");
        }
    }
}

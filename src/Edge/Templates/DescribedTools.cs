using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Templates;

/// <summary>Tools that all have a description, for templates that write it without asking whether there is one, as that of gpt-oss does, and fail over what is not there.</summary>
internal static class DescribedTools
{
    public static IReadOnlyList<JsonElement> Of(IReadOnlyList<JsonElement> tools) => [.. tools.Select(Described)];

    private static JsonElement Described(JsonElement tool)
    {
        if (tool.ValueKind != JsonValueKind.Object || !tool.TryGetProperty("function", out JsonElement function) || function.ValueKind != JsonValueKind.Object
            || (function.TryGetProperty("description", out JsonElement description) && description.ValueKind != JsonValueKind.Null))
        {
            return tool;
        }
        return Json.Element(json =>
        {
            json.WriteStartObject();
            WriteOthers(json, tool, "function");
            json.WriteStartObject("function");
            WriteOthers(json, function, "description");
            json.WriteString("description", "");
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static void WriteOthers(Utf8JsonWriter json, JsonElement element, string but)
    {
        foreach (JsonProperty field in element.EnumerateObject())
        {
            if (!field.NameEquals(but))
                field.WriteTo(json);
        }
    }
}

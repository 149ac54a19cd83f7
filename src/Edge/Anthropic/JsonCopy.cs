using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary>Values of a request, written where they go on.</summary>
internal static class JsonCopy
{
    /// <summary>The object; an empty one where there is none.</summary>
    public static void Write(Utf8JsonWriter json, JsonFields? value) =>
        json.WriteRawValue(value is { } given ? given.Copy().GetRawText() : "{}", skipInputValidation: true);
}

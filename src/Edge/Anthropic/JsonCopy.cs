using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary>Values of a request, written where they go on.</summary>
internal static class JsonCopy
{
    /// <summary>The object; an empty one where there is none, or one that no writer takes, which is noted.</summary>
    public static void Write(Utf8JsonWriter json, JsonFields? value)
    {
        if (value is { } given && IsText(given))
        {
            json.WriteRawValue(given.Element.GetRawText(), skipInputValidation: true);
            return;
        }
        json.WriteStartObject();
        json.WriteEndObject();
    }

    /// <summary>Half a surrogate pair, written as an escape, is JSON and no text: it would break whoever reads it later.</summary>
    private static bool IsText(JsonFields value)
    {
        try
        {
            using Utf8JsonWriter trial = new(Stream.Null);
            value.Element.WriteTo(trial);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            value.Errors.Add(value.PathOf("")[..^1], "must be valid Unicode text");
            return false;
        }
    }
}

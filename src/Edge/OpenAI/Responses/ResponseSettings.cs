using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>What a response repeats of its request: a field that was not given as the API's default, although a model's Modelfile may have its own.</summary>
internal static class ResponseSettings
{
    private static readonly (string Name, string Default)[] Fields =
    [
        ("model", "null"),
        ("previous_response_id", "null"),
        ("instructions", "null"),
        ("max_output_tokens", "null"),
        ("max_tool_calls", "null"),
        ("metadata", "{}"),
        ("parallel_tool_calls", "true"),
        ("presence_penalty", "0"),
        ("frequency_penalty", "0"),
        ("prompt_cache_key", "null"),
        ("reasoning", """{"effort":null,"summary":null}"""),
        ("safety_identifier", "null"),
        ("service_tier", "\"default\""),
        ("temperature", "1"),
        ("text", """{"format":{"type":"text"}}"""),
        ("tool_choice", "\"auto\""),
        ("top_logprobs", "0"),
        ("top_p", "1"),
        ("truncation", "\"disabled\""),
    ];

    /// <summary>Notes a field that cannot be repeated, though nothing else looks into it.</summary>
    public static void Check(JsonFields request)
    {
        foreach ((string name, _) in Fields)
        {
            if (request.Find(name) is { } value)
                new JsonFields(value, name, request.Errors).Copy();
        }
    }

    /// <summary>One object. The request must have been read without an error.</summary>
    public static JsonElement Of(JsonFields request, bool isStored, bool isBackground)
    {
        return Json.Element(json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("background"u8, isBackground);
            json.WriteBoolean("store"u8, isStored);
            foreach ((string name, string ifAbsent) in Fields)
            {
                json.WritePropertyName(name);
                json.WriteRawValue(request.Find(name)?.GetRawText() ?? ifAbsent, skipInputValidation: true);
            }
            WriteTools(json, FlatTools.All(request).Select(tool => tool.Element));
            json.WriteEndObject();
        });
    }

    /// <summary>With tools that the conversation had before.</summary>
    public static JsonElement WithTools(JsonElement settings, IEnumerable<JsonElement> earlier)
    {
        return Json.Element(json =>
        {
            json.WriteStartObject();
            foreach (JsonProperty setting in settings.EnumerateObject())
            {
                if (!setting.NameEquals("tools"))
                    setting.WriteTo(json);
            }
            WriteTools(json, [.. earlier, .. Tools(settings).EnumerateArray()]);
            json.WriteEndObject();
        });
    }

    /// <summary>All that the model is told of, an array: the request's, and those of its conversation's items.</summary>
    public static JsonElement Tools(JsonElement settings) => settings.GetProperty("tools");

    private static void WriteTools(Utf8JsonWriter json, IEnumerable<JsonElement> tools)
    {
        json.WriteStartArray("tools"u8);
        foreach (JsonElement tool in tools)
            tool.WriteTo(json);
        json.WriteEndArray();
    }

    /// <summary>Whether a summary of the reasoning is asked for, of whatever kind.</summary>
    public static bool WantsSummary(JsonElement settings) => settings.GetProperty("reasoning") is { ValueKind: JsonValueKind.Object } reasoning
        && reasoning.TryGetProperty("summary", out JsonElement summary) && summary.ValueKind == JsonValueKind.String;

    public static bool IsBackground(JsonElement settings) => settings.GetProperty("background").GetBoolean();
}

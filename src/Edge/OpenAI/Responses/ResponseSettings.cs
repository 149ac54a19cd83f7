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
        ("tools", "[]"),
        ("top_logprobs", "0"),
        ("top_p", "1"),
        ("truncation", "\"disabled\""),
    ];

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
            json.WriteEndObject();
        });
    }

    /// <summary>The request's tools, an array.</summary>
    public static JsonElement Tools(JsonElement settings) => settings.GetProperty("tools");

    public static bool IsBackground(JsonElement settings) => settings.GetProperty("background").GetBoolean();
}

using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Grammars;

namespace OllamaMax.Edge.Ollama;

/// <summary>The field <c>format</c>: <c>"json"</c>, or a JSON Schema. What no grammar can promise is refused.</summary>
internal static class FormatField
{
    private const string Wanted = "must be \"json\" or a JSON Schema (an object)";

    /// <summary>The grammar that the answer must follow; null: none.</summary>
    public static string? Read(JsonFields request)
    {
        if (request.Find("format") is not { } format)
            return null;
        switch (format.ValueKind)
        {
            case JsonValueKind.String when request.Text("format") is "":
                return null;
            case JsonValueKind.String when request.Text("format") is "json":
                return JsonGrammar.AnyObject;
            case JsonValueKind.Object:
                return ReadSchema(request, format);
            default:
                request.Errors.Add("format", Wanted);
                return null;
        }
    }

    private static string? ReadSchema(JsonFields request, JsonElement schema)
    {
        if (!JsonGrammar.TryFromSchema(schema, out string? grammar, out SchemaError? error))
            request.Errors.Add(ApiError.BadRequest($"format: {error}"));
        return grammar;
    }
}

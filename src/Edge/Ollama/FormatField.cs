using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>The field <c>format</c>: <c>"json"</c>, or a JSON Schema. What no grammar can promise is refused.</summary>
internal static class FormatField
{
    private const string Wanted = "must be \"json\" or a JSON Schema (an object)";

    /// <summary>Null: free text.</summary>
    public static RequestedFormat? Read(JsonFields request)
    {
        if (request.Find("format") is not { } format)
            return null;
        switch (format.ValueKind)
        {
            case JsonValueKind.String when request.Text("format") is "":
                return null;
            case JsonValueKind.String when request.Text("format") is "json":
                return RequestedFormat.Json;
            case JsonValueKind.Object:
                return ReadSchema(request, format);
            default:
                request.Errors.Add("format", Wanted);
                return null;
        }
    }

    private static RequestedFormat? ReadSchema(JsonFields request, JsonElement schema)
    {
        if (JsonGrammar.TryFromSchema(schema, out string? grammar, out SchemaError? error))
            return new(grammar, schema.Clone());
        request.Errors.Add(ApiError.BadRequest($"format: {error}"));
        return null;
    }
}

using System.Text.Json;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Ollama;

/// <summary>The field <c>think</c>: a boolean, or a level, which says yes too.</summary>
/// <param name="Think">Null: the request does not say.</param>
/// <param name="Level">low, medium or high: templates know no more, so that Ollama's max is high here.</param>
internal readonly record struct ThinkField(bool? Think, string? Level)
{
    public static ThinkField Read(JsonFields request)
    {
        switch (request.Find("think"))
        {
            case null:
                return default;
            case { ValueKind: JsonValueKind.True }:
                return new(true, null);
            case { ValueKind: JsonValueKind.False }:
                return new(false, null);
            case { ValueKind: JsonValueKind.String } when request.Text("think") is "low" or "medium" or "high" or "max":
                return new(true, request.Text("think") is "max" ? "high" : request.Text("think"));
            default:
                // By its first words the ollama command knows it, and lets the session go on.
                request.Errors.Add(ApiError.BadRequest("invalid think value: think must be a boolean, \"high\", \"medium\", \"low\" or \"max\"") with { Field = "think" });
                return default;
        }
    }
}

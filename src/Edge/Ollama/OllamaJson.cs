using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>Ollama's spelling of what its API says of models and of itself.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(TagsAnswer))]
[JsonSerializable(typeof(PsAnswer))]
[JsonSerializable(typeof(ShowAnswer))]
[JsonSerializable(typeof(CloudStatusAnswer))]
[JsonSerializable(typeof(RecommendationsAnswer))]
[JsonSerializable(typeof(RequestedOptions))]
[JsonSerializable(typeof(string[][]))]
internal sealed partial class OllamaJson : JsonSerializerContext
{
    /// <summary>The context with text left as it is.</summary>
    public static readonly OllamaJson Relaxed = new(new JsonSerializerOptions
    {
        Encoder = Json.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });
}

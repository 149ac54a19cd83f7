using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Http;
using OllamaMax.Models;

namespace OllamaMax.Edge.Anthropic;

/// <summary>A page of <c>/v1/models</c> as Anthropic answers it.</summary>
internal sealed record ModelsAnswer(IReadOnlyList<ModelAnswer> Data, bool HasMore, string? FirstId, string? LastId);

internal sealed record ModelAnswer(string Id, string DisplayName, DateTime CreatedAt)
{
    [JsonPropertyOrder(-1)]
    public string Type { get; } = "model";

    /// <param name="id">As it is to be called.</param>
    public static ModelAnswer Of(ModelView model, string id) => new(id, Requests.DisplayName.Of(model.Name), model.ModifiedAt.UtcDateTime);
}

/// <summary>Answer of <c>/v1/messages/count_tokens</c>.</summary>
internal sealed record CountAnswer(int InputTokens);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ModelsAnswer))]
[JsonSerializable(typeof(CountAnswer))]
internal sealed partial class AnthropicJson : JsonSerializerContext
{
    /// <summary>The context with text left as it is.</summary>
    public static readonly AnthropicJson Relaxed = new(new JsonSerializerOptions
    {
        Encoder = Json.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    });
}

using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Edge.Http;
using OllamaMax.Models;

namespace OllamaMax.Edge.OpenAI;

/// <summary>Answer of <c>/v1/models</c>.</summary>
internal sealed record ModelsAnswer(IReadOnlyList<ModelAnswer> Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";
}

/// <summary>Answer of <c>/v1/models/{id}</c>.</summary>
/// <param name="Created">Unix time in seconds.</param>
internal sealed record ModelAnswer(string Id, long Created, string OwnedBy)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "model";

    /// <param name="id">As it is to be called.</param>
    public static ModelAnswer Of(ModelView model, string id) => new(id, model.ModifiedAt.ToUnixTimeSeconds(), model.Name.Namespace);
}

/// <summary>Answer of <c>/v1/responses/input_tokens</c>.</summary>
internal sealed record InputTokensAnswer(int InputTokens)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "response.input_tokens";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(InputTokensAnswer))]
[JsonSerializable(typeof(ModelsAnswer))]
internal sealed partial class OpenAIJson : JsonSerializerContext
{
    /// <summary>The context with text left as it is.</summary>
    public static readonly OpenAIJson Relaxed = new(new JsonSerializerOptions
    {
        Encoder = Json.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    });
}

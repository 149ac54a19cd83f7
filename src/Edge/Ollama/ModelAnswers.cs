using System.Text.Json;
using OllamaMax.Models;

namespace OllamaMax.Edge.Ollama;

/// <summary>Answer of <c>/api/version</c>.</summary>
internal sealed record VersionAnswer(string Version);

/// <summary>Answer of <c>/api/tags</c>.</summary>
internal sealed record TagsAnswer(IReadOnlyList<TagsModel> Models);

internal sealed record TagsModel(
    string Name, string Model, DateTime ModifiedAt, long Size, string Digest, DetailsAnswer Details, IReadOnlyList<string> Capabilities);

/// <summary>Answer of <c>/api/ps</c>.</summary>
internal sealed record PsAnswer(IReadOnlyList<PsModel> Models);

internal sealed record PsModel(
    string Name, string Model, long Size, string Digest, DetailsAnswer Details, DateTime ExpiresAt, long SizeVram, int ContextLength);

/// <summary>Answer of <c>/api/show</c>.</summary>
internal sealed record ShowAnswer(
    string? License,
    string Modelfile,
    string? Parameters,
    string? Template,
    string? System,
    DetailsAnswer Details,
    IReadOnlyDictionary<string, JsonElement> ModelInfo,
    IReadOnlyList<string> Capabilities,
    DateTime ModifiedAt,
    IReadOnlyList<MessageAnswer>? Messages);

internal sealed record MessageAnswer(string Role, string Content);

/// <param name="ContextLength">Tokens it was trained for: agents that <c>ollama launch</c> starts are told so. Null: not known.</param>
/// <param name="EmbeddingLength">As <see cref="ModelView.EmbeddingLength"/>; null: not known.</param>
internal sealed record DetailsAnswer(
    string ParentModel,
    string Format,
    string Family,
    IReadOnlyList<string> Families,
    string ParameterSize,
    string QuantizationLevel,
    int? ContextLength,
    int? EmbeddingLength)
{
    public static DetailsAnswer Of(ModelView model)
    {
        ModelDetails details = model.Details;
        return new(
            model.Modelfile.Parent ?? "", details.Format, details.Family, details.Families, details.ParameterSize, details.QuantizationLevel,
            Known(model.ContextLength), Known(model.EmbeddingLength));
    }

    private static int? Known(int length) => length > 0 ? length : null;
}

using System.Text.Json;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Models;

/// <summary>
/// The config blob of a model: what list, show and rendering need, so that none of them reads a GGUF. The first fields are those
/// that Ollama writes there.
/// </summary>
public sealed record ModelConfig
{
    private const string ChatTemplate = "tokenizer.chat_template";

    public string ModelFormat { get; init; } = "gguf";

    public required string ModelFamily { get; init; }

    public required IReadOnlyList<string> ModelFamilies { get; init; }

    /// <summary>Parameters for people: <c>3.97M</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Quantization: <c>Q4_K_M</c>.</summary>
    public required string FileType { get; init; }

    public required long ParameterCount { get; init; }

    public required long ContextLength { get; init; }

    public required string BosToken { get; init; }

    public required string EosToken { get; init; }

    public FillInTheMiddle? FillInTheMiddle { get; init; }

    /// <summary>Digest of the weights as their registry has them, where they were made for Ollama's engine (<see cref="Gguf.Ollama.OllamaGguf"/>); null: they are what they were.</summary>
    public string? TranslatedFrom { get; init; }

    /// <summary>Null where the model is its weights alone.</summary>
    public Modelfile? Modelfile { get; init; }

    /// <summary>As <see cref="GgufHeader.Metadata"/>.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Metadata { get; init; }

    /// <exception cref="GgufFormatException">The file holds no whole language model.</exception>
    public static ModelConfig From(GgufHeader header)
    {
        string family = header.GetString("general.architecture")
            ?? throw new GgufFormatException("the GGUF does not say which architecture it has");
        if (header.TensorCount == 0)
            throw new GgufFormatException("the GGUF holds no weights, only a vocabulary");
        if (header.GetInteger("split.count") is > 1 and { } parts)
            throw new GgufFormatException($"the GGUF is one of {parts} parts: push or pull it, which takes all of them, or merge them first (llama-gguf-split --merge)");
        if (header.GetInteger($"{family}.context_length") is not (> 0 and <= int.MaxValue and { } context))
            throw new GgufFormatException($"the GGUF of architecture '{family}' has no context length: it is no language model");
        if (header.Metadata.TryGetValue(ChatTemplate, out JsonElement template) && template.ValueKind != JsonValueKind.String)
            throw new GgufFormatException($"the GGUF's {ChatTemplate} is no text");
        return new ModelConfig
        {
            ModelFamily = family,
            ModelFamilies = [family],
            ModelType = HumanNumber.Format(header.ParameterCount),
            FileType = GgufFileType.NameOf(header.GetInteger("general.file_type")) ?? header.TensorType,
            ParameterCount = header.ParameterCount,
            ContextLength = context,
            BosToken = header.BosToken,
            EosToken = header.EosToken,
            FillInTheMiddle = header.FillInTheMiddle,
            Metadata = header.Metadata,
        };
    }

    /// <exception cref="FormatException">It is no config that was written here.</exception>
    public static ModelConfig Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ModelJson.Blob.ModelConfig) ?? throw new FormatException("The model's config is null.");
        }
        catch (JsonException e)
        {
            throw new FormatException("The model's config cannot be read.", e);
        }
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ModelJson.Blob.ModelConfig);

    /// <summary>The catalogue's view of the model under a name.</summary>
    /// <param name="name">As it is to be shown.</param>
    /// <param name="manifestDigest">64 hex digits.</param>
    /// <param name="manifest">What the name stands for.</param>
    /// <param name="modifiedAt">When the manifest was written.</param>
    public ModelView ToView(ModelName name, string manifestDigest, ModelManifest manifest, DateTimeOffset modifiedAt)
    {
        string? own = Metadata.TryGetValue(ChatTemplate, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        string? template = Modelfile?.Template ?? own;
        return new ModelView
        {
            Name = name,
            Digest = manifestDigest,
            Size = manifest.Size,
            ModifiedAt = modifiedAt,
            Weights = manifest.Weights.Digest,
            WeightsSize = manifest.Weights.Size,
            Adapters = [.. manifest.Layers.Where(layer => layer.MediaType == ModelLayer.Adapter).Select(layer => layer.Digest)],
            TranslatedFrom = TranslatedFrom,
            Details = new ModelDetails(ModelFormat, ModelFamily, ModelFamilies, ModelType, FileType),
            Metadata = Metadata,
            Template = string.IsNullOrWhiteSpace(template) ? null : template,
            Modelfile = Modelfile ?? Modelfile.None,
            BosToken = BosToken,
            EosToken = EosToken,
            FillInTheMiddle = FillInTheMiddle,
            ContextLength = (int)Math.Min(ContextLength, int.MaxValue),
            ParameterCount = ParameterCount,
            Capabilities = ModelCapabilities.Find(ModelFamily, Metadata, template, FillInTheMiddle),
        };
    }
}

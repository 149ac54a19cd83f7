using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.Models;

/// <summary>What a name stands for: blobs by digest. The JSON is that of Ollama's registry (OCI image manifest, schema 2).</summary>
public sealed record ModelManifest
{
    public const string ManifestMediaType = "application/vnd.docker.distribution.manifest.v2+json";
    public const string ConfigMediaType = "application/vnd.docker.container.image.v1+json";

    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; } = 2;

    [JsonPropertyName("mediaType")]
    public string MediaType { get; init; } = ManifestMediaType;

    /// <summary>The <see cref="ModelConfig"/>: what is known of the model without reading its weights.</summary>
    public required ModelLayer Config { get; init; }

    public required IReadOnlyList<ModelLayer> Layers { get; init; }

    /// <summary>The GGUF. There is exactly one: a manifest without it is not read.</summary>
    [JsonIgnore]
    public ModelLayer Weights => Layers.Single(l => l.MediaType == ModelLayer.Model);

    /// <summary>Bytes of all blobs together.</summary>
    [JsonIgnore]
    public long Size => Config.Size + Layers.Sum(l => l.Size);

    /// <exception cref="FormatException">It is no manifest that can be followed.</exception>
    public static ModelManifest Parse(ReadOnlySpan<byte> json)
    {
        ModelManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(json, ModelJson.Blob.ModelManifest);
        }
        catch (JsonException e)
        {
            throw new FormatException("The model's manifest is no valid JSON.", e);
        }
        string? error = manifest is null ? "it is null" : manifest.FindError();
        return error is null ? manifest! : throw new FormatException($"The model's manifest cannot be used: {error}.");
    }

    /// <summary>The same bytes for the same content, so that publishing again changes nothing.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ModelJson.Blob.ModelManifest);

    private string? FindError()
    {
        if (SchemaVersion != 2)
            return $"schema version {SchemaVersion} is not known";
        if (Config is null || Layers is null || Layers.Any(l => l is null))
            return "a part is missing";
        if (Layers.Append(Config).Any(l => !ModelDigest.IsValid(l.Digest) || l.Size < 0))
            return "a digest or size is none";
        return Layers.Count(l => l.MediaType == ModelLayer.Model) == 1 ? null : "it does not have exactly one file of weights";
    }
}

/// <param name="MediaType">What it is; Ollama's words for layers are the constants here.</param>
/// <param name="Digest"><c>sha256:…</c></param>
/// <param name="Size">Bytes.</param>
public sealed record ModelLayer(
    [property: JsonPropertyName("mediaType")] string MediaType, string Digest, long Size)
{
    public const string Model = "application/vnd.ollama.image.model";
    public const string Template = "application/vnd.ollama.image.template";
    public const string System = "application/vnd.ollama.image.system";
    public const string Params = "application/vnd.ollama.image.params";
    public const string License = "application/vnd.ollama.image.license";
    public const string Messages = "application/vnd.ollama.image.messages";
    public const string Adapter = "application/vnd.ollama.image.adapter";
    public const string Projector = "application/vnd.ollama.image.projector";
}

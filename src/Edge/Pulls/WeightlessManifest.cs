using System.Text.Json;
using OllamaMax.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// A registry's manifest that has no GGUF. Ollama's has such for models of its MLX engine, whose tensors are a layer each, and for those that run elsewhere, whose config says where
/// (<c>ConfigV2</c> in its types/model/config.go).
/// </summary>
internal static class WeightlessManifest
{
    private const string Tensor = "application/vnd.ollama.image.tensor";

    /// <summary>Why the model cannot run here, to stand behind its name; null: that is not known.</summary>
    /// <param name="name">Of the model.</param>
    /// <param name="json">The manifest; empty: the registry has none.</param>
    /// <param name="readConfig">Reads the layer that is the manifest's config.</param>
    public static async Task<string?> WhyNotAsync(ModelName name, byte[] json, Func<ModelLayer, Task<byte[]>> readConfig)
    {
        (ModelLayer? config, bool hasTensors) = Read(json);
        if (hasTensors)
            return "has no GGUF, but tensors for Ollama's MLX engine: pull a tag of it that is not for MLX, or a GGUF of it from Hugging Face";
        string? host = config is null ? null : await RemoteHostAsync(config, readConfig);
        if (host is null && !name.IsOfCloud)
            return null;
        return $"has no weights: it runs at {host ?? "ollama.com"} alone, and here run models whose weights can be pulled";
    }

    private static (ModelLayer? Config, bool HasTensors) Read(byte[] json)
    {
        if (Parse(json) is not { } manifest)
            return (null, false);
        bool hasTensors = manifest.TryGetProperty("layers", out JsonElement layers) && layers.ValueKind == JsonValueKind.Array
            && layers.EnumerateArray().Any(layer => TextOf(layer, "mediaType") == Tensor);
        string? digest = manifest.TryGetProperty("config", out JsonElement config) ? TextOf(config, "digest") : null;
        return (digest is not null && ModelDigest.IsValid(digest) ? new(ModelManifest.ConfigMediaType, digest, 0) : null, hasTensors);
    }

    private static async Task<string?> RemoteHostAsync(ModelLayer config, Func<ModelLayer, Task<byte[]>> readConfig)
    {
        try
        {
            return Parse(await readConfig(config)) is { } json && TextOf(json, "remote_host") is { Length: > 0 } url
                ? Uri.TryCreate(url, UriKind.Absolute, out Uri? address) ? address.Host : url
                : null;
        }
        catch (PullException)
        {
            // What is wrong with the manifest is to be told, not with what would have explained it.
            return null;
        }
    }

    private static string? TextOf(JsonElement json, string property) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Null: no object.</summary>
    private static JsonElement? Parse(byte[] json)
    {
        try
        {
            JsonElement read = JsonElement.Parse(json);
            return read.ValueKind == JsonValueKind.Object ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

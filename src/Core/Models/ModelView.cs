using System.Text.Json;

namespace OllamaMax.Models;

/// <summary>A model as the catalogue has it: a name, and what stands behind it at this moment.</summary>
public sealed record ModelView
{
    public required ModelName Name { get; init; }

    /// <summary>SHA-256 of the manifest, 64 hex digits: what Ollama lists as the model's digest.</summary>
    public required string Digest { get; init; }

    /// <summary>Bytes of all layers together.</summary>
    public required long Size { get; init; }

    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Digest of the GGUF, <c>sha256:…</c>, or <see cref="ForwardedModel.Digest"/>: what jobs, queues and replicas go by.</summary>
    public required string Weights { get; init; }

    public required long WeightsSize { get; init; }

    /// <summary>Digests of the adapters that are in the weights (<see cref="Gguf.GgufAdapters"/>), in their order.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];

    /// <summary>As <see cref="ModelConfig.TranslatedFrom"/>.</summary>
    public string? TranslatedFrom { get; init; }

    public required ModelDetails Details { get; init; }

    /// <summary>The GGUF's metadata by key, arrays longer than 64 entries left out (vocabularies).</summary>
    public required IReadOnlyDictionary<string, JsonElement> Metadata { get; init; }

    /// <summary>Jinja template of chats; null when the model has none (it completes text only).</summary>
    public string? Template { get; init; }

    public Modelfile Modelfile { get; init; } = Modelfile.None;

    /// <summary>Text of the tokens that templates write as <c>bos_token</c> and <c>eos_token</c>; empty where the model has none.</summary>
    public string BosToken { get; init; } = "";

    public string EosToken { get; init; } = "";

    /// <summary>Null where the model cannot fill in.</summary>
    public FillInTheMiddle? FillInTheMiddle { get; init; }

    /// <summary>Tokens of context it was trained for; 0: not known.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Numbers of a vector that it makes of a text; 0: not known.</summary>
    public int EmbeddingLength =>
        Metadata.TryGetValue("general.architecture", out JsonElement architecture)
        && Metadata.TryGetValue($"{architecture}.embedding_length", out JsonElement length)
        && length.ValueKind == JsonValueKind.Number && length.TryGetInt32(out int numbers)
            ? numbers
            : 0;

    public required long ParameterCount { get; init; }

    /// <summary>Null for a published model; otherwise it runs where workers forward to, and there are no weights that anybody could fetch.</summary>
    public ForwardedModel? Forwarded { get; init; }

    /// <summary>Ollama's words: completion, tools, thinking, vision, embedding, insert.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    /// <summary>Whether it writes texts; the others only embed them.</summary>
    public bool CanComplete => Capabilities.Contains("completion");

    /// <summary>Whether it can be told of tools. Its calls are read as such where <see cref="Capabilities"/> name tools, and are text otherwise.</summary>
    public bool TakesTools => Capabilities.Contains("tools") || (Forwarded is null && ModelCapabilities.TellsOfTools(Template));
}

/// <summary>What Ollama shows under <c>details</c>.</summary>
public sealed record ModelDetails(
    string Format, string Family, IReadOnlyList<string> Families, string ParameterSize, string QuantizationLevel);

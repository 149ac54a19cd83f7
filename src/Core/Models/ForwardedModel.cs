using System.Text.Json;
using System.Text.Json.Serialization;
using OllamaMax.Jobs.Forwarding;

namespace OllamaMax.Models;

/// <summary>A model of a server that a worker forwards to, as the worker found it there. Names and figures are the server's, as far as it has any.</summary>
public sealed record ForwardedModel
{
    /// <summary>The capability of those that see.</summary>
    public const string Vision = "vision";

    /// <summary>What speaks there: ollama, openai, vllm or llama-server.</summary>
    public required string Kind { get; init; }

    /// <summary>What the server calls it.</summary>
    public required string Model { get; init; }

    /// <summary>What clients call it: a name as the catalogue has them.</summary>
    public required string Name { get; init; }

    /// <summary>The server's own digest; null where it has none.</summary>
    public string? Upstream { get; init; }

    /// <summary>Ollama's words: completion, tools, thinking, vision, embedding, insert.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    /// <summary>Its server can be held to call tools (<see cref="ForwardedPrompt.RequiresCalls"/>), and its worker hands that on: one of an older version does not.</summary>
    public bool CanRequireCalls { get; init; }

    /// <summary>
    /// Whether images may be sent to it: its server says that it sees, or says nothing of that and decides itself. Null: its worker is of an older version, and would leave them out.
    /// </summary>
    public bool? TakesImages { get; init; }

    /// <summary>Bytes; 0: not known.</summary>
    public long Size { get; init; }

    public DateTimeOffset ModifiedAt { get; init; }

    public string Format { get; init; } = "";

    public string Family { get; init; } = "";

    /// <summary>For people: <c>4.0B</c>.</summary>
    public string ParameterSize { get; init; } = "";

    public string Quantization { get; init; } = "";

    /// <summary>0: not known.</summary>
    public long ParameterCount { get; init; }

    /// <summary>Tokens of context; 0: not known.</summary>
    public int ContextLength { get; init; }

    /// <summary>What jobs, queues and workers go by.</summary>
    [JsonIgnore]
    public string Digest => ForwardedDigest.Of(Kind, Model, Upstream);

    /// <summary>The catalogue's view of it.</summary>
    /// <param name="name"><see cref="Name"/>, read.</param>
    public ModelView ToView(ModelName name)
    {
        string digest = Digest;
        return new ModelView
        {
            Name = name,
            Digest = ModelDigest.Hex(digest),
            Size = Size,
            ModifiedAt = ModifiedAt,
            Weights = digest,
            WeightsSize = Size,
            Details = new ModelDetails(Format, Family, Family.Length > 0 ? [Family] : [], ParameterSize, Quantization),
            Metadata = Metadata(),
            ContextLength = ContextLength,
            ParameterCount = ParameterCount,
            Capabilities = Capabilities,
            Forwarded = this,
        };
    }

    /// <summary>What clients look for in <c>/api/show</c> before they use a model.</summary>
    private Dictionary<string, JsonElement> Metadata()
    {
        string family = Family.Length > 0 ? Family : Kind;
        Dictionary<string, JsonElement> known = new()
        {
            ["general.architecture"] = JsonSerializer.SerializeToElement(family, ModelJson.Blob.String),
        };
        if (ContextLength > 0)
            known[$"{family}.context_length"] = JsonSerializer.SerializeToElement(ContextLength, ModelJson.Blob.Int32);
        return known;
    }
}

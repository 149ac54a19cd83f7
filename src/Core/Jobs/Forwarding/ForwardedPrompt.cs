using System.Collections.ObjectModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OllamaMax.Jobs.Forwarding;

/// <summary>
/// What a server that a worker forwards to is asked: the request as the client made it, since the server applies the model's template itself.
/// </summary>
public sealed record ForwardedPrompt
{
    /// <summary>The conversation; empty: <see cref="Prompt"/> is to be completed.</summary>
    public IReadOnlyList<ChatMessage> Messages { get; init; } = [];

    [JsonIgnore]
    public bool HasImages => Messages.Any(message => message.Images.Count > 0);

    /// <summary>A text that reaches the model as it is, without template.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>What comes behind the answer to <see cref="Prompt"/>; empty: nothing.</summary>
    public string Suffix { get; init; } = "";

    /// <summary>In OpenAI's form.</summary>
    public IReadOnlyList<JsonElement> Tools { get; init; } = [];

    /// <summary>The answer must be calls of <see cref="Tools"/>.</summary>
    public bool RequiresCalls { get; init; }

    /// <summary>With <see cref="RequiresCalls"/>: the only tool that may be called; null: any.</summary>
    public string? RequiredTool { get; init; }

    /// <summary><c>"json"</c> or a JSON Schema; null: free text.</summary>
    public JsonElement? Format { get; init; }

    /// <summary>Null: as the server does by itself.</summary>
    public bool? Think { get; init; }

    /// <summary>low, medium or high, of what reasoning there is; null: the model's own.</summary>
    public string? ThinkLevel { get; init; }

    /// <summary>
    /// The options that the client gave, by Ollama's names. Of others nothing is said, so that the server's or the model's own defaults hold.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement> Options { get; init; } = ReadOnlyDictionary<string, JsonElement>.Empty;
}

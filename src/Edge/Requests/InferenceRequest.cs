using System.Collections.ObjectModel;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>What all three APIs are translated into, and what a job is made of.</summary>
internal sealed record InferenceRequest
{
    /// <summary>The model's name as the client wrote it; answers repeat it.</summary>
    public required string Model { get; init; }

    /// <summary>Nothing to say: the client only wants the model to be in memory.</summary>
    public bool IsLoad { get; init; }

    /// <summary>How long the model is to stay in memory after this; null: the worker decides, negative: for good. Zero with <see cref="IsLoad"/>: it is to leave.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>The conversation to render; ignored with <see cref="RawPrompt"/>.</summary>
    public IReadOnlyList<ChatMessage> Messages { get; init; } = [];

    /// <summary>Tools in OpenAI's form, for the template.</summary>
    public IReadOnlyList<JsonElement> Tools { get; init; } = [];

    /// <summary>A prompt that goes to the model as it is, without template.</summary>
    public string? RawPrompt { get; init; }

    /// <summary>
    /// Whether this is a completion, that was given a chat's form for models with a template: a model without one gets the bare text.
    /// </summary>
    public bool IsCompletion { get; init; }

    /// <summary>What comes behind the answer: the model is to fill in between <see cref="RawPrompt"/> and this. Empty: nothing.</summary>
    public string Suffix { get; init; } = "";

    /// <summary>Jinja to render with instead of the model's own template.</summary>
    public string? Template { get; init; }

    /// <summary>Null: a model that can think does, as with Ollama.</summary>
    public bool? Think { get; init; }

    /// <summary>low, medium or high, for templates that know such levels.</summary>
    public string? ThinkLevel { get; init; }

    /// <summary>Texts to embed instead of a prompt to answer; null: an answer is wanted.</summary>
    public IReadOnlyList<string>? EmbedInputs { get; init; }

    /// <summary>With <see cref="EmbedInputs"/>: cut what is longer than the context, rather than refuse it.</summary>
    public bool Truncate { get; init; }

    public InferenceOptions Options { get; init; } = new();

    /// <summary>
    /// The options as the client wrote them, by Ollama's names, for servers that workers forward to. What an API has no such names for may be left out:
    /// of <see cref="Options"/>, what differs from the defaults counts as given too.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement> GivenOptions { get; init; } = ReadOnlyDictionary<string, JsonElement>.Empty;

    /// <summary>What the grammar in <see cref="Options"/> was made of, <c>"json"</c> or a JSON Schema: for servers that workers forward to.</summary>
    public JsonElement? Format { get; init; }

    /// <summary>Null or negative: drawn here.</summary>
    public long? Seed { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];
}

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

    public InferenceOptions Options { get; init; } = new();

    /// <summary>Null or negative: drawn here.</summary>
    public long? Seed { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];
}

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

    public ToolChoice ToolChoice { get; init; } = ToolChoice.Free;

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

    /// <inheritdoc cref="Job.Prediction"/>
    public string? Prediction { get; init; }

    /// <summary>Null: a model that can think does, as with Ollama.</summary>
    public bool? Think { get; init; }

    /// <summary>low, medium or high, for templates that know such levels.</summary>
    public string? ThinkLevel { get; init; }

    /// <summary>Texts to embed instead of a prompt to answer; null: an answer is wanted.</summary>
    public IReadOnlyList<string>? EmbedInputs { get; init; }

    /// <summary>With <see cref="EmbedInputs"/>: cut what is longer than the context, rather than refuse it.</summary>
    public bool Truncate { get; init; }

    /// <summary>What the request says.</summary>
    public RequestedOptions Options { get; init; } = new();

    /// <summary>What its API has for what neither the request nor the model's Modelfile says.</summary>
    public RequestedOptions Defaults { get; init; } = new();

    /// <summary>How many answers are wanted: so many jobs, each with a seed of its own that follows from this request's.</summary>
    public int Choices { get; init; } = 1;
}

using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>A request of <c>/api/chat</c> or <c>/api/generate</c>, translated.</summary>
/// <param name="Inference">What to run.</param>
/// <param name="IsStream">NDJSON, or one object.</param>
internal sealed record OllamaRequest(InferenceRequest Inference, bool IsStream)
{
    /// <summary>The prompt is to be shown, and not answered.</summary>
    public bool IsRenderOnly { get; init; }

    /// <summary>The conversation that a later request may go on from, up to this one's answer; null: none is told.</summary>
    public IReadOnlyList<ChatMessage>? Turns { get; init; }
}

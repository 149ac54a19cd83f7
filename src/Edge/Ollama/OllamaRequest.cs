using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary>A request of <c>/api/chat</c> or <c>/api/generate</c>, translated.</summary>
/// <param name="Inference">What to run.</param>
/// <param name="IsStream">NDJSON, or one object.</param>
internal sealed record OllamaRequest(InferenceRequest Inference, bool IsStream);

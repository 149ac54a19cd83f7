using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary>A request of <c>/api/embed</c> or <c>/api/embeddings</c>, translated.</summary>
/// <param name="Inference">What to run.</param>
/// <param name="Format">How to answer.</param>
internal sealed record EmbedRequest(InferenceRequest Inference, IWholeFormat Format);

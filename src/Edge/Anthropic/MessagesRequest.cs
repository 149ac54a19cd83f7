using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Anthropic;

/// <summary>A request of <c>/v1/messages</c>, translated.</summary>
/// <param name="Inference">What to run.</param>
/// <param name="IsStream">Server-sent events, or one object.</param>
/// <param name="ShowsThinking">Whether reasoning is part of the answer.</param>
internal sealed record MessagesRequest(InferenceRequest Inference, bool IsStream, bool ShowsThinking);

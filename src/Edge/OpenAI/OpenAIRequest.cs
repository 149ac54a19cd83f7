using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary>A request of <c>/v1/chat/completions</c> or <c>/v1/completions</c>, translated.</summary>
/// <param name="Inferences">What to run: one for each prompt.</param>
/// <param name="IsStream">Server-sent events, or one object.</param>
/// <param name="IncludesUsage">Whether a stream's end has the usage.</param>
internal sealed record OpenAIRequest(IReadOnlyList<InferenceRequest> Inferences, bool IsStream, bool IncludesUsage)
{
    /// <summary>Whether a completion repeats its prompt.</summary>
    public bool Echoes { get; init; }

    public string Model => Inferences[0].Model;

    /// <summary>Answers to each prompt.</summary>
    public int ChoicesPerPrompt => Inferences[0].Choices;
}

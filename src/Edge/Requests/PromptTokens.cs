using OllamaMax.Edge.Http;
using OllamaMax.Models;
using OllamaMax.Models.Vocabularies;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Counts a prompt's tokens: of the prompt that a worker would get, by the model's own vocabulary. An estimate where there is neither, as a count is not to fail
/// where the message itself may say what is wrong.
/// </summary>
internal sealed class PromptTokens(PromptMaker prompts, IVocabularySource vocabularies)
{
    /// <summary>Characters: no context holds more, and who asks for more is not to take seconds of the edge's time.</summary>
    private const int LongestCounted = 4 << 20;

    public async ValueTask<int> CountAsync(InferenceRequest request, ModelView model, CancellationToken cancellationToken)
    {
        if (model.Forwarded?.TakesImages != true)
            request = ImageRules.LeaveOut(request);
        TokenCounter? counter = model.Forwarded is null ? await vocabularies.FindAsync(model, cancellationToken) : null;
        return counter is null || prompts.TextOf(request, model).Failed(out ApiError? _, out string? text) || text.Length > LongestCounted
            ? TokenEstimate.Of(request)
            : counter.Count(text);
    }
}

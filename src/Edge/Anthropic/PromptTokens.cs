using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Models;
using OllamaMax.Models.Vocabularies;

namespace OllamaMax.Edge.Anthropic;

/// <summary>
/// Counts a prompt's tokens: of the prompt that a worker would get, by the model's own vocabulary. An estimate where there is neither, as a count is not to fail
/// where the message itself may say what is wrong.
/// </summary>
internal sealed class PromptTokens(PromptMaker prompts, IVocabularySource vocabularies)
{
    public async ValueTask<int> CountAsync(InferenceRequest request, ModelView model, CancellationToken cancellationToken)
    {
        TokenCounter? counter = model.Forwarded is null ? await vocabularies.FindAsync(model, cancellationToken) : null;
        return counter is null || prompts.TextOf(request, model).Failed(out ApiError? _, out string? text) ? TokenEstimate.Of(request) : counter.Count(text);
    }
}

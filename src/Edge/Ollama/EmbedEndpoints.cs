using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/embed</c> and <c>POST /api/embeddings</c>: translate, run, format.</summary>
internal sealed class EmbedEndpoints(RequestBodyReader bodies, InferenceRunner runner)
{
    public Task EmbedAsync(HttpContext context) => AnswerAsync(context, EmbedTranslator.Translate);

    public Task EmbeddingsAsync(HttpContext context) => AnswerAsync(context, EmbedTranslator.TranslateOld);

    private async Task AnswerAsync(HttpContext context, Func<JsonFields, Result<EmbedRequest>> translate)
    {
        if ((await KeyedRequest.ReadAsync(context, bodies, translate)).Failed(out ApiError? error, out KeyedRequest<EmbedRequest>? request))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await runner.AnswerAsync(context, request.Request.Inference, request.Key, request.Request.Format);
    }
}

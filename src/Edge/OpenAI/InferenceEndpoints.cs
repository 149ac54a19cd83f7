using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI;

/// <summary><c>POST /v1/chat/completions</c>, <c>/v1/completions</c> and <c>/v1/embeddings</c>: translate, run, format.</summary>
internal sealed class InferenceEndpoints(RequestBodyReader bodies, InferenceRunner runner, TimeProvider time)
{
    public Task ChatAsync(HttpContext context) => AnswerAsync(context, ChatTranslator.Translate, request => new ChatFormat(request, time));

    public Task CompletionAsync(HttpContext context) =>
        AnswerAsync(context, CompletionTranslator.Translate, request => new CompletionFormat(request, time));

    public async Task EmbeddingsAsync(HttpContext context)
    {
        if ((await KeyedRequest.ReadAsync(context, bodies, EmbeddingsTranslator.Translate)).Failed(out ApiError? error, out KeyedRequest<EmbeddingsRequest>? request))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await runner.AnswerAsync(context, request.Request.Inference, request.Key, new EmbeddingsFormat(request.Request));
    }

    private async Task AnswerAsync(HttpContext context, Func<JsonFields, Result<OpenAIRequest>> translate, Func<OpenAIRequest, OpenAIFormat> formatFor)
    {
        if ((await KeyedRequest.ReadAsync(context, bodies, translate)).Failed(out ApiError? error, out KeyedRequest<OpenAIRequest>? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        using OpenAIFormat format = formatFor(request.Request);
        await runner.AnswerAsync(context, request.Request.Inferences, request.Key, request.Request.IsStream, format);
    }
}

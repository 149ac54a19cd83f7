using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/chat</c> and <c>POST /api/generate</c>: translate, run, format.</summary>
internal sealed class InferenceEndpoints(RequestBodyReader bodies, InferenceRunner runner, TimeProvider time)
{
    public Task ChatAsync(HttpContext context) => AnswerAsync(context, ChatTranslator.Translate, request => new ChatFormat(request.Inference.Model, time));

    public Task GenerateAsync(HttpContext context) => AnswerAsync(context, GenerateTranslator.Translate, request => new GenerateFormat(request.Inference.Model, time, request.Turns));

    private async Task AnswerAsync(HttpContext context, Func<JsonFields, Result<OllamaRequest>> translate, Func<OllamaRequest, OllamaFormat> formatFor)
    {
        if ((await KeyedRequest.ReadAsync(context, bodies, translate)).Failed(out ApiError? error, out KeyedRequest<OllamaRequest>? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        InferenceRequest inference = request.Request.Inference;
        using OllamaFormat format = formatFor(request.Request);
        await runner.AnswerAsync(context, inference, request.Key, request.Request.IsStream && !inference.IsLoad, format);
    }
}

using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/chat</c> and <c>POST /api/generate</c>: translate, run, format.</summary>
internal sealed class InferenceEndpoints(RequestBodyReader bodies, InferenceRunner runner, TimeProvider time)
{
    private delegate Result<OllamaRequest> Translator(JsonFields request);

    public Task ChatAsync(HttpContext context) => AnswerAsync(context, ChatTranslator.Translate, model => new ChatFormat(model, time));

    public Task GenerateAsync(HttpContext context) => AnswerAsync(context, GenerateTranslator.Translate, model => new GenerateFormat(model, time));

    private async Task AnswerAsync(HttpContext context, Translator translate, Func<string, OllamaFormat> formatFor)
    {
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? body))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        OllamaRequest? request;
        IdempotencyKey? key;
        using (body)
        {
            if (translate(body.Fields(new())).Failed(out error, out request) || !IdempotencyKey.TryRead(context, body.Bytes, out key, out error))
            {
                await ErrorAnswer.WriteAsync(context, error);
                return;
            }
        }
        using OllamaFormat format = formatFor(request.Inference.Model);
        await runner.AnswerAsync(context, request.Inference, key, request.IsStream && !request.Inference.IsLoad, format);
    }
}

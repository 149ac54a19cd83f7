using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/chat</c> and <c>POST /api/generate</c>: translate, run, format.</summary>
internal sealed class InferenceEndpoints(RequestBodyReader bodies, InferenceRunner runner, IModelSource models, TimeProvider time)
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
        await (request.IsLoad
            ? LoadAsync(context, request, format)
            : runner.AnswerAsync(context, request.Inference, key, request.IsStream, format));
    }

    /// <summary>Says that the model is there to be used; workers load it with the first request that has a prompt.</summary>
    private async Task LoadAsync(HttpContext context, OllamaRequest request, OllamaFormat format)
    {
        string model = request.Inference.Model;
        if (await models.FindAsync(model, context.RequestAborted) is null)
        {
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(model));
            return;
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        format.WriteLoad(context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}

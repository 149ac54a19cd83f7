using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/chat</c> and <c>POST /api/generate</c>: translate, run, format.</summary>
internal sealed class InferenceEndpoints(RequestBodyReader bodies, InferenceRunner runner, JobFactory jobs, TimeProvider time)
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
        if (request.Request.IsRenderOnly)
            await RenderAsync(context, inference, format);
        else
            await runner.AnswerAsync(context, inference, request.Key, request.Request.IsStream && !inference.IsLoad, format);
    }

    /// <summary>Shows the prompt that the model would read; nothing runs.</summary>
    private async Task RenderAsync(HttpContext context, InferenceRequest request, OllamaFormat format)
    {
        if ((await jobs.CreateAsync(request, RequestInfo.Of(context), context.RequestAborted)).Failed(out ApiError? error, out Job? job))
        {
            await ErrorAnswer.WriteAsync(context, error);
        }
        else if (job.Forward is not null)
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest($"\"{request.Model}\" does not support _debug_render_only: the server that it runs on makes its prompts"));
        }
        else
        {
            ModelHeader.Write(context, job.AnsweredBy);
            context.Response.ContentType = "application/json; charset=utf-8";
            format.WriteRendered(context.Response.BodyWriter, job.Prompt);
        }
    }
}

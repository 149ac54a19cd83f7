using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Anthropic;

/// <summary><c>POST /v1/messages</c> and <c>/v1/messages/count_tokens</c>: translate, run or count, format.</summary>
internal sealed class MessagesEndpoints(RequestBodyReader bodies, InferenceRunner runner, NamedModels models, PromptTokens tokens, TimeProvider time)
{
    public async Task AnswerAsync(HttpContext context)
    {
        if ((await KeyedRequest.ReadAsync(context, bodies, MessagesTranslator.Translate)).Failed(out ApiError? error, out KeyedRequest<MessagesRequest>? request))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        using MessagesFormat format = new(request.Request, RequestInfo.Of(context).Id, time);
        await runner.AnswerAsync(context, request.Request.Inference, request.Key, request.Request.IsStream, format);
    }

    public async Task CountAsync(HttpContext context)
    {
        if ((await KeyedRequest.ReadAsync(context, bodies, MessagesTranslator.TranslateCount)).Failed(out ApiError? error, out KeyedRequest<InferenceRequest>? request))
            await ErrorAnswer.WriteAsync(context, error);
        else if (await models.FindAsync(request.Request.Model, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
            await JsonAnswer.WriteAsync(context, new CountAnswer(await tokens.CountAsync(request.Request, model, context.RequestAborted)), AnthropicJson.Relaxed.CountAnswer);
        else
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(request.Request.Model));
    }
}

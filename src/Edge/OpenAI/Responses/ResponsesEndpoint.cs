using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary><c>POST /v1/responses</c>: translate, find what it goes on from, run, format; or hand it to the background. <c>/v1/responses/input_tokens</c>: count instead.</summary>
internal sealed class ResponsesEndpoint(
    RequestBodyReader bodies, InferenceRunner runner, ResponseHistory history, IResponseArchive archive, NamedModels models, PromptTokens tokens, TimeProvider time)
{
    public async Task CreateAsync(HttpContext context)
    {
        string id = JobId.New(time);
        string tenant = RequestInfo.CallerOf(context).Tenant;
        if ((await KeyedRequest.ReadAsync(context, bodies, fields => ResponsesTranslator.Translate(fields, id)))
                .Failed(out ApiError? error, out KeyedRequest<ResponsesRequest>? request)
            || (await history.ResolveAsync(request.Request, tenant, context.RequestAborted)).Failed(out error, out InferenceRequest? inference))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        StoredResponse response = New(request.Request, tenant);
        if (request.Request.IsBackground)
        {
            await archive.RunAsync(context, inference, response, request.Request.IsStream);
            return;
        }
        using ResponseFormat format = new(ResponseHead.Of(response), request.Request.IsStream)
        {
            CarriesReasoning = request.Request.CarriesReasoning,
            Keep = request.Request.IsStored ? (answer, cancellationToken) => archive.KeepAsync(response with { Answer = answer }, cancellationToken) : null,
        };
        await runner.AnswerAsync(context, inference, request.Key, request.Request.IsStream, format);
    }

    public async Task CountAsync(HttpContext context)
    {
        string id = JobId.New(time);
        if ((await KeyedRequest.ReadAsync(context, bodies, fields => ResponsesTranslator.TranslateCount(fields, id)))
                .Failed(out ApiError? error, out KeyedRequest<ResponsesRequest>? request)
            || (await history.ResolveAsync(request.Request, RequestInfo.CallerOf(context).Tenant, context.RequestAborted)).Failed(out error, out InferenceRequest? inference))
        {
            await ErrorAnswer.WriteAsync(context, error);
        }
        else if (await models.FindAsync(inference.Model, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
        {
            await JsonAnswer.WriteAsync(context, new InputTokensAnswer(await tokens.CountAsync(inference, model, context.RequestAborted)), OpenAIJson.Default.InputTokensAnswer);
        }
        else
        {
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(inference.Model));
        }
    }

    private StoredResponse New(ResponsesRequest request, string tenant) => new()
    {
        Id = request.Id,
        Tenant = tenant,
        CreatedAt = time.GetUtcNow(),
        Settings = request.Settings,
        Input = request.Input,
        PreviousId = request.PreviousId,
    };
}

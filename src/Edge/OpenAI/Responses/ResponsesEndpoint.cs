using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
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
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? body))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        ResponsesRequest? request;
        IdempotencyKey? key;
        using (body)
        {
            if (ResponsesTranslator.Translate(body.Fields(new()), JobId.New(time)).Failed(out error, out request) || !IdempotencyKey.TryRead(context, body.Bytes, out key, out error))
            {
                await ErrorAnswer.WriteAsync(context, error);
                return;
            }
            if (request.IsBackground)
            {
                await archive.RunAsync(context, key, id => MakeAsync(context, body, id), request.IsStream);
                return;
            }
        }
        await AnswerAsync(context, request, key);
    }

    /// <summary>Its items have ids that follow from the response's. The body is not needed any more then, and a stream may last.</summary>
    private async Task<Result<BackgroundResponse>> MakeAsync(HttpContext context, JsonRequest body, string id)
    {
        ApiError? error;
        ResponsesRequest? request;
        using (body)
        {
            if (ResponsesTranslator.Translate(body.Fields(new()), id).Failed(out error, out request))
                return error;
        }
        string tenant = RequestInfo.CallerOf(context).Tenant;
        return (await history.ResolveAsync(request, tenant, context.RequestAborted)).Failed(out error, out ResponsesRequest? whole)
            ? error
            : new BackgroundResponse(whole.Inference, New(whole, tenant));
    }

    private async Task AnswerAsync(HttpContext context, ResponsesRequest request, IdempotencyKey? key)
    {
        string tenant = RequestInfo.CallerOf(context).Tenant;
        if ((await history.ResolveAsync(request, tenant, context.RequestAborted)).Failed(out ApiError? error, out ResponsesRequest? whole))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        StoredResponse response = New(whole, tenant);
        using ResponseFormat format = new(ResponseHead.Of(response), request.IsStream)
        {
            CarriesReasoning = request.CarriesReasoning,
            Keep = request.IsStored ? (answer, cancellationToken) => archive.KeepAsync(response with { Answer = answer }, cancellationToken) : null,
        };
        await runner.AnswerAsync(context, whole.Inference, key, request.IsStream, format);
    }

    public async Task CountAsync(HttpContext context)
    {
        string id = JobId.New(time);
        if ((await KeyedRequest.ReadAsync(context, bodies, fields => ResponsesTranslator.TranslateCount(fields, id)))
                .Failed(out ApiError? error, out KeyedRequest<ResponsesRequest>? request)
            || (await history.ResolveAsync(request.Request, RequestInfo.CallerOf(context).Tenant, context.RequestAborted)).Failed(out error, out ResponsesRequest? whole))
        {
            await ErrorAnswer.WriteAsync(context, error);
        }
        else if (await models.FindAsync(whole.Inference.Model, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
        {
            await JsonAnswer.WriteAsync(context, new InputTokensAnswer(await tokens.CountAsync(whole.Inference, model, context.RequestAborted)), OpenAIJson.Default.InputTokensAnswer);
        }
        else
        {
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(whole.Inference.Model));
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

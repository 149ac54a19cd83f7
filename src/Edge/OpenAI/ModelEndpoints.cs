using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.OpenAI;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>, whose id may have slashes in it.</summary>
internal sealed class ModelEndpoints(NamedModels models)
{
    public async Task ListAsync(HttpContext context)
    {
        IReadOnlyList<NamedModel> all = await models.ListAsync(RequestInfo.CallerOf(context), context.RequestAborted);
        ModelAnswer[] answers = [.. all.OrderByDescending(named => named.Model.ModifiedAt).Select(named => ModelAnswer.Of(named.Model, named.Id))];
        await JsonAnswer.WriteAsync(context, new ModelsAnswer(answers), OpenAIJson.Relaxed.ModelsAnswer);
    }

    public async Task ShowAsync(HttpContext context)
    {
        string id = RouteText.Of(context, "id")!;
        if (await models.FindAsync(id, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
            await JsonAnswer.WriteAsync(context, ModelAnswer.Of(model, id), OpenAIJson.Relaxed.ModelAnswer);
        else
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(id));
    }
}

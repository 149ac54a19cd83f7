using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Anthropic;

/// <summary><c>GET /v1/models</c> (<c>limit</c>, <c>after_id</c>, <c>before_id</c>) and <c>/v1/models/{id}</c> for clients that send <c>anthropic-version</c>.</summary>
internal sealed class ModelEndpoints(NamedModels models)
{
    private const int DefaultLimit = 20;
    private const int MostListed = 1000;

    public async Task ListAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        QueryFields fields = new(context);
        int limit = fields.Limit(DefaultLimit, MostListed);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        List<ModelAnswer> all =
            [.. (await models.ListAsync(RequestInfo.CallerOf(context), context.RequestAborted)).OrderByDescending(named => named.Model.ModifiedAt).Select(named => ModelAnswer.Of(named.Model, named.Id))];
        string after = query["after_id"].ToString();
        string before = query["before_id"].ToString();
        int begin = after.Length > 0 ? all.FindIndex(model => model.Id == after) + 1 : 0;
        int end = before.Length > 0 ? all.FindIndex(model => model.Id == before) : all.Count;
        List<ModelAnswer> range = all[begin..Math.Max(begin, end)];
        List<ModelAnswer> page = before.Length > 0 ? [.. range.TakeLast(limit)] : [.. range.Take(limit)];
        ModelsAnswer answer = new(page, range.Count > page.Count, page.FirstOrDefault()?.Id, page.LastOrDefault()?.Id);
        await JsonAnswer.WriteAsync(context, answer, AnthropicJson.Relaxed.ModelsAnswer);
    }

    public async Task ShowAsync(HttpContext context)
    {
        string id = RouteText.Of(context, "id")!;
        if (await models.FindAsync(id, RequestInfo.CallerOf(context), context.RequestAborted) is { } model)
            await JsonAnswer.WriteAsync(context, ModelAnswer.Of(model, id), AnthropicJson.Relaxed.ModelAnswer);
        else
            await ErrorAnswer.WriteAsync(context, ApiError.ModelNotFound(id));
    }
}

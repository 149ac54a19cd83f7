using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Edge.Batches;

/// <summary><c>/v1/batches</c> (https://platform.openai.com/docs/api-reference/batch): a tenant sees its own.</summary>
internal sealed class BatchesEndpoints(RequestBodyReader bodies, KeyedSubmissions submissions, BatchJobs batches) : IEndpointGroup
{
    private const int DefaultLimit = 20;
    private const int MostListed = 100;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission infer = new(Permissions.Infer);
        endpoints.MapPost("/v1/batches", CreateAsync).WithMetadata(infer)
            .Describe(Said("Runs the lines of a file as requests, when slots are idle.") with { Body = "OpenAIBatchRequest", TakesKey = true, AnswerType = BatchesJson.Default.BatchAnswer });
        endpoints.MapGet("/v1/batches", ListAsync).WithMetadata(infer)
            .Describe(Said("The tenant's batches, the newest first.") with
            {
                Query = [("limit", "At most so many: 20, up to 100."), ("after", "Those that come after this one.")],
                AnswerType = BatchesJson.Default.BatchesAnswer,
            });
        endpoints.MapGet("/v1/batches/{id}", ShowAsync).WithMetadata(infer)
            .Describe(Said("A batch, with its files once it has ended.") with { AnswerType = BatchesJson.Default.BatchAnswer });
        endpoints.MapPost("/v1/batches/{id}/cancel", CancelAsync).WithMetadata(infer)
            .Describe(Said("Ends a batch; what was answered by then is in its files.") with { AnswerType = BatchesJson.Default.BatchAnswer });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.OpenAI, summary);

    private async Task CreateAsync(HttpContext context)
    {
        if ((await TakeAsync(context)).Failed(out ApiError? error, out BatchAnswer? answer))
            await ErrorAnswer.WriteAsync(context, error);
        else
            await JsonAnswer.WriteAsync(context, answer, BatchesJson.Relaxed.BatchAnswer);
    }

    private async Task<Result<BatchAnswer>> TakeAsync(HttpContext context)
    {
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? body))
            return error;
        using (body)
        {
            JsonFields fields = body.Fields(new());
            string file = fields.Text("input_file_id") ?? "";
            string endpoint = fields.Text("endpoint") ?? "";
            if (file.Length == 0)
                fields.Errors.Add("input_file_id", "is required");
            if (!BatchLine.Endpoints.Contains(endpoint))
                fields.Errors.Add("endpoint", $"must be one of {string.Join(", ", BatchLine.Endpoints)}");
            if (fields.Text("completion_window") is not (null or "24h"))
                fields.Errors.Add("completion_window", "must be 24h");
            Dictionary<string, string>? metadata = null;
            if (fields.Object("metadata") is { } given)
            {
                metadata = [];
                // Of those of one name the last counts, as with all fields.
                foreach (string name in given.Names())
                    metadata[name] = given.Text(name) ?? "";
            }
            if (fields.Errors.First is { } wrong)
                return wrong;
            if (!IdempotencyKey.TryRead(context, body.Bytes, out IdempotencyKey? key, out error))
                return error;
            return await submissions.TakeAsync(
                context, key, ticket => batches.TakeAsync(context, ticket.Id, FileId.Read(file), endpoint, metadata), (earlier, token) => batches.FindAsync(context, earlier, token));
        }
    }

    private async Task ListAsync(HttpContext context)
    {
        QueryFields fields = new(context);
        int limit = fields.Limit(DefaultLimit, MostListed);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        BatchesAnswer answer = await batches.ListAsync(context, RequestInfo.CallerOf(context).Tenant, BatchId.Read(context.Request.Query["after"].ToString()), limit);
        await JsonAnswer.WriteAsync(context, answer, BatchesJson.Relaxed.BatchesAnswer);
    }

    private async Task ShowAsync(HttpContext context)
    {
        if (await FindAsync(context) is { } batch)
            await JsonAnswer.WriteAsync(context, await batches.ShowAsync(context, batch), BatchesJson.Relaxed.BatchAnswer);
    }

    private async Task CancelAsync(HttpContext context)
    {
        if (await FindAsync(context) is { } batch)
            await JsonAnswer.WriteAsync(context, await batches.CancelAsync(context, batch), BatchesJson.Relaxed.BatchAnswer);
    }

    /// <summary>The batch of the path; null where the answer, a 404, has been written.</summary>
    private async Task<BatchRecord?> FindAsync(HttpContext context)
    {
        string id = (string)context.GetRouteValue("id")!;
        if (await batches.FindAsync(BatchId.Read(id), RequestInfo.CallerOf(context).Tenant, context.RequestAborted) is { } batch)
            return batch;
        await ErrorAnswer.WriteAsync(context, new(StatusCodes.Status404NotFound, $"No batch found with id '{id}'.") { Field = "id" });
        return null;
    }
}

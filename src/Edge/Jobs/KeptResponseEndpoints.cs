using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Edge.Jobs;

/// <summary><c>/v1/responses/{id}</c>: show, stream, list the input, cancel, delete. A tenant sees its own alone.</summary>
internal sealed class KeptResponseEndpoints(ResponseArchive archive) : IEndpointGroup
{
    private const int DefaultLimit = 20;
    private const int MostListed = 100;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission own = new(Permissions.OwnJobs);
        endpoints.MapGet("/v1/responses/{id}", ShowAsync).WithMetadata(own)
            .Describe(Said("A stored response; with stream=true the events of one in the background.") with
            {
                Query = [("stream", "true: its events."), ("starting_after", "The sequence_number of the last event that the caller has.")],
                Answer = "OpenAIResponse",
                Stream = "text/event-stream",
            });
        endpoints.MapDelete("/v1/responses/{id}", DeleteAsync).WithMetadata(own).Describe(Said("Deletes a stored response."));
        endpoints.MapGet("/v1/responses/{id}/input_items", ListInputAsync).WithMetadata(own)
            .Describe(Said("The items of a stored response's request.") with { Query = [("limit", "1 to 100; 20."), ("after", "Id of the last item that the caller has."), ("order", "asc or desc.")] });
        endpoints.MapPost("/v1/responses/{id}/cancel", CancelAsync).WithMetadata(own)
            .Describe(Said("Cancels a response in the background.") with { Answer = "OpenAIResponse" });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.OpenAI, summary);

    private static string IdOf(HttpContext context) => (string)context.GetRouteValue("id")!;

    private async Task ShowAsync(HttpContext context)
    {
        QueryFields fields = new(context);
        bool isStream = fields.Flag("stream");
        if (fields.Error is { } error)
            await ErrorAnswer.WriteAsync(context, error);
        else if (isStream)
            await StreamAsync(context);
        else if (await FindAsync(context) is { Answer: { } answer })
            await ResponseArchive.WriteAsync(context, answer);
    }

    private async Task StreamAsync(HttpContext context)
    {
        string from = context.Request.Query["starting_after"].ToString();
        int after = -1;
        if (from.Length > 0 && !int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            await RefuseAsync(context, "starting_after", "starting_after must be the sequence_number of the last event that came");
        else if (await FindJobAsync(context, "stream", "only a response that was created with \"background\": true can be streamed again") is { } record)
            await archive.StreamAsync(context, record, after);
    }

    private async Task CancelAsync(HttpContext context)
    {
        if (await FindJobAsync(context, "id", "only a response that was created with \"background\": true can be cancelled") is not { } record)
            return;
        if (await archive.CancelAsync(record, CancellationToken.None) is { } answer)
            await ResponseArchive.WriteAsync(context, answer);
        else
            await NotFoundAsync(context);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } response)
            return;
        await archive.DeleteAsync(response.Id, CancellationToken.None);
        await WriteAsync(context, json =>
        {
            json.WriteString("id"u8, ResponseId.Of(response.Id));
            json.WriteString("object"u8, "response"u8);
            json.WriteBoolean("deleted"u8, true);
        });
    }

    private async Task ListInputAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        if (query["order"].ToString() is not ("" or "asc" or "desc"))
        {
            await RefuseAsync(context, "order", "order must be \"asc\" or \"desc\"");
            return;
        }
        QueryFields fields = new(context);
        int limit = fields.Limit(DefaultLimit, MostListed);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        if (await FindAsync(context) is not { } response)
            return;
        IEnumerable<JsonElement> items = query["order"] == "asc" ? response.Input : response.Input.Reverse();
        if (query["after"].ToString() is { Length: > 0 } after)
            items = items.SkipWhile(item => !item.GetProperty("id").ValueEquals(after)).Skip(1);
        JsonElement[] page = [.. items.Take(limit + 1)];
        JsonElement[] shown = page[..Math.Min(limit, page.Length)];
        await WriteAsync(context, json =>
        {
            json.WriteString("object"u8, "list"u8);
            json.WriteStartArray("data"u8);
            foreach (JsonElement item in shown)
                item.WriteTo(json);
            json.WriteEndArray();
            json.WriteString("first_id"u8, shown is [var first, ..] ? first.GetProperty("id").GetString() : null);
            json.WriteString("last_id"u8, shown is [.., var last] ? last.GetProperty("id").GetString() : null);
            json.WriteBoolean("has_more"u8, page.Length > limit);
        });
    }

    /// <summary>The response of the path; null where the answer, a 404, has been written.</summary>
    private async Task<StoredResponse?> FindAsync(HttpContext context)
    {
        if (ResponseId.TryRead(IdOf(context), out string? id) && await archive.FindAsync(id, RequestInfo.CallerOf(context).Tenant, context.RequestAborted) is { } response)
            return response;
        await NotFoundAsync(context);
        return null;
    }

    /// <summary>The job of the path's response; null where the answer, a 404 or a 400, has been written.</summary>
    private async Task<JobRecord?> FindJobAsync(HttpContext context, string field, string otherwise)
    {
        if (ResponseId.TryRead(IdOf(context), out string? id) && await archive.FindJobAsync(id, RequestInfo.CallerOf(context).Tenant, context.RequestAborted) is { } record)
            return record;
        if (await FindAsync(context) is not null)
            await RefuseAsync(context, field, otherwise);
        return null;
    }

    private static Task NotFoundAsync(HttpContext context) =>
        ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status404NotFound, $"response with id '{IdOf(context)}' not found"));

    private static Task RefuseAsync(HttpContext context, string field, string message) =>
        ErrorAnswer.WriteAsync(context, ApiError.BadRequest(message) with { Field = field });

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> fields)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, Json.Writer))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}

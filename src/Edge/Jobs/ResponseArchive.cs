using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Responses in storage: one that was answered while its client waited lies there by itself, one of the background is its job's record and output. Both are kept
/// as long as the tenant's background jobs are.
/// </summary>
internal sealed class ResponseArchive(
    ResponseStore store,
    JobRecords records,
    KeyedSubmissions submissions,
    JobIntake intake,
    BackgroundJobs jobs,
    JobResult results,
    JobStream stream,
    TenantRetention retention,
    TimeProvider time) : IResponseArchive
{
    public async Task<StoredResponse?> FindAsync(string id, string tenant, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, time.GetUtcNow(), cancellationToken) is { } kept)
            return kept.Tenant == tenant ? kept : null;
        return await FindJobAsync(id, tenant, cancellationToken) is { Response: { } response } record
            ? response with { Answer = await AnswerOfAsync(record, response, cancellationToken) }
            : null;
    }

    /// <summary>The background job that makes a response. Null where there is none, or the response is not a job's.</summary>
    public async Task<JobRecord?> FindJobAsync(string id, string tenant, CancellationToken cancellationToken) =>
        await records.SettleAsync(id, cancellationToken) is { Shape: RequestShape.Response } record && record.Tenant == tenant && record.Readable().Response is not null ? record : null;

    public Task KeepAsync(StoredResponse response, CancellationToken cancellationToken) => retention.StoresNothing(response.Tenant)
        ? Task.CompletedTask
        : store.CreateAsync(response with { ExpiresAt = time.GetUtcNow() + retention.Of(response.Tenant) }, cancellationToken);

    public async Task RunAsync(HttpContext context, IdempotencyKey? key, Func<string, Task<Result<BackgroundResponse>>> make, bool isStream)
    {
        if ((await submissions.TakeAsync(context, key, ticket => TakeAsync(context, ticket, make), FindAsync)).Failed(out ApiError? error, out JobRecord? record))
            await ErrorAnswer.WriteAsync(context, error);
        else if (isStream)
            await StreamAsync(context, record, after: -1);
        else
            await WriteAsync(context, await AnswerOfAsync(record, record.Response!, context.RequestAborted));
    }

    /// <param name="after">Number of the last event that the client has; -1: none.</param>
    public async Task StreamAsync(HttpContext context, JobRecord record, int after)
    {
        StoredResponse response = record.Response ?? throw new ArgumentException("It is the job of no response.", nameof(record));
        using ResponseFormat format = new(ResponseHead.Of(response), isStream: true, after);
        await stream.WriteAsync(context, record, new ResponseStreamLines(context.Response.BodyWriter, format));
    }

    /// <summary>The response after that; null: there is none.</summary>
    public async Task<JsonElement?> CancelAsync(JobRecord record, CancellationToken cancellationToken) =>
        await jobs.CancelAsync(record.Id, cancellationToken) is { } cancelled && record.Response is { } response
            ? await AnswerOfAsync(cancelled, response, cancellationToken)
            : null;

    /// <summary>Ends it where it is under way; then nothing of it is kept.</summary>
    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(id, cancellationToken);
        if (await jobs.CancelAsync(id, cancellationToken) is not null)
            await records.DeleteAsync(id, cancellationToken);
    }

    private async Task<Result<JobRecord>> TakeAsync(HttpContext context, JobTicket ticket, Func<string, Task<Result<BackgroundResponse>>> make) =>
        (await make(ticket.Id)).Failed(out ApiError? error, out BackgroundResponse? made)
            ? error
            : await intake.TakeAsync(context, ticket, made.Inference, RequestShape.Response, made.Response);

    private async Task<JobRecord?> FindAsync(KeyedSubmission earlier, CancellationToken cancellationToken) =>
        await intake.FindAsync(earlier, cancellationToken) is { } record && record.Readable().Response is not null ? record : null;

    public static async Task WriteAsync(HttpContext context, JsonElement answer)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        using (Utf8JsonWriter json = new(context.Response.BodyWriter, Json.Writer))
            answer.WriteTo(json);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private async Task<JsonElement> AnswerOfAsync(JobRecord record, StoredResponse response, CancellationToken cancellationToken)
    {
        if (await results.ReadAsync(record, cancellationToken) is { } result)
            return result;
        string status = record.Status == RecordStatus.Running ? "in_progress" : JobAnswer.NameOf(record.Status);
        return Json.Element(json => ResponseJson.Write(json, ResponseHead.Of(response), status, [], record.Statistics, record.Error is { } error ? ApiError.From(error) : null));
    }
}

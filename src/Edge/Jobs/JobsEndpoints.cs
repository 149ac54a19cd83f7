using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.SignalR;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// <c>/jobs</c>: submit, list, show, cancel, delete, queue again. A tenant sees its own jobs; who may see all sees of others' all but
/// what was asked and answered.
/// </summary>
internal sealed class JobsEndpoints(
    RequestBodyReader bodies,
    KeyedSubmissions submissions,
    JobIntake intake,
    BackgroundJobs jobs,
    JobRecords records,
    JobRecordStore store,
    JobResult results,
    JobStream stream,
    StrategyJobs strategies,
    StrategyStream strategyStream) : IEndpointGroup
{
    private static readonly (string, string)[] Listing =
    [
        ("status", "queued, running, completed, failed, cancelled or poison"), ("limit", "At most so many: 100, up to 1000."), ("before", "Only those older than the job with this id, as the last of the page before."), ("all", "true: of all tenants, for who may see them."),
    ];

    private const int DefaultLimit = 100;
    private const int MostListed = 1000;

    /// <summary>No status of its own but a kind of failed: those that were set aside because of what their attempts came to.</summary>
    private const string Poison = "poison";

    public void Map(IEndpointRouteBuilder endpoints)
    {
        RequiredPermission own = new(Permissions.OwnJobs);
        endpoints.MapPost("/jobs", SubmitAsync).WithMetadata(new RequiredPermission(Permissions.Infer))
            .Describe(Said("Takes a job on, to be asked for later.") with { Body = "JobRequest", TakesKey = true, Status = StatusCodes.Status202Accepted, AnswerType = JobsJson.Default.JobAnswer });
        endpoints.MapGet("/jobs", ListAsync).WithMetadata(own)
            .Describe(Said("The tenant's jobs, the newest first.") with { Query = Listing, AnswerType = JobsJson.Default.JobsAnswer });
        endpoints.MapGet("/jobs/{id}", ShowAsync).WithMetadata(own)
            .Describe(Said("A job, with its result once it is completed.") with { AnswerType = JobsJson.Default.JobAnswer });
        endpoints.MapDelete("/jobs/{id}", DeleteAsync).WithMetadata(own)
            .Describe(Said("Cancels a job; deletes one that has ended, with 204.") with { AnswerType = JobsJson.Default.JobAnswer });
        endpoints.MapGet("/jobs/{id}/stream", StreamAsync).WithMetadata(own)
            .Describe(Said("A job's text, while it runs and after; of a job with a strategy how its branches come on, and their texts.") with { Query = [("after", "Tokens that the caller has already."), ("follow", "false: what there is by now, without waiting for the rest.")], Answer = "JobLine", ContentType = "application/x-ndjson", Stream = "text/event-stream" });
        endpoints.MapPost("/jobs/{id}/subscribe", SubscribeAsync).WithMetadata(own)
            .Describe(Said("Where to listen to the job's text over SignalR; 409 where that is encrypted, and only its stream tells it.") with { AnswerType = ClusterJson.Default.NegotiateAnswer });
        endpoints.MapPost("/jobs/{id}/requeue", RequeueAsync).WithMetadata(new RequiredPermission(Permissions.AllJobs))
            .Describe(Said("Gives a job that failed another chance.") with { Status = StatusCodes.Status202Accepted, AnswerType = JobsJson.Default.JobAnswer });
    }

    private static EndpointDescription Said(string summary) => new(EndpointDescription.Own, summary);

    private static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    private static Principal Caller(HttpContext context) => RequestInfo.CallerOf(context);

    private static ApiError NotFound(string id) => new(StatusCodes.Status404NotFound, $"job '{id}' not found");

    private async Task SubmitAsync(HttpContext context)
    {
        if ((await TakeAsync(context)).Failed(out ApiError? error, out JobAnswer? answer))
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        context.Response.Headers.Location = $"/jobs/{answer.Id}";
        await JsonAnswer.WriteAsync(context, answer, JobsJson.Relaxed.JobAnswer, StatusCodes.Status202Accepted);
    }

    private async ValueTask<Result<JobAnswer>> TakeAsync(HttpContext context)
    {
        if ((await JsonRequest.ReadAsync(context, bodies)).Failed(out ApiError? error, out JsonRequest? body))
            return error;
        using (body)
        {
            if (!IdempotencyKey.TryRead(context, body.Bytes, out IdempotencyKey? key, out error))
                return error;
            JsonFields fields = body.Fields(new());
            if (fields.IsSet("strategy"))
                return await submissions.TakeAsync(context, key, ticket => strategies.TakeAsync(context, ticket, fields), (earlier, token) => strategies.FindAsync(context, earlier, token));
            if (JobSubmission.Read(fields).Failed(out error, out JobSubmission? submission))
                return error;
            return await submissions.TakeAsync(context, key, ticket => TakeAsync(context, ticket, submission), FindAsync);
        }
    }

    private async Task<Result<JobAnswer>> TakeAsync(HttpContext context, JobTicket ticket, JobSubmission submission) =>
        (await intake.TakeAsync(context, ticket, submission.Request, submission.Shape)).Failed(out ApiError? error, out JobRecord? record) ? error : JobAnswer.Of(record);

    private async Task<JobAnswer?> FindAsync(KeyedSubmission earlier, CancellationToken cancellationToken) =>
        await intake.FindAsync(earlier, cancellationToken) is { } record ? JobAnswer.Of(record) : null;

    private async Task ListAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        RecordStatus? status = null;
        bool isPoison = query["status"] == Poison;
        if (query["status"].ToString() is { Length: > 0 } text && !isPoison)
        {
            if (!Enum.GetValues<RecordStatus>().Any(value => JobAnswer.NameOf(value) == text))
            {
                await ErrorAnswer.WriteAsync(context, ApiError.BadRequest("status must be queued, running, completed, failed, cancelled or poison"));
                return;
            }
            status = Enum.Parse<RecordStatus>(text, ignoreCase: true);
        }
        QueryFields fields = new(context);
        bool all = fields.Flag("all") && Caller(context).May(Permissions.AllJobs);
        int limit = fields.Limit(DefaultLimit, MostListed);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        // Ids sort by time and storage lists by name: the newest are the last that come.
        string? before = query["before"].ToString() is { Length: > 0 } id ? id : null;
        Queue<RecordItem> newest = [];
        await foreach (RecordItem item in store.ListAsync(context.RequestAborted))
        {
            if (before is not null && string.CompareOrdinal(item.Id, before) >= 0)
                break;
            if ((!all && item.Tenant != Caller(context).Tenant) || (status is not null && item.Status != status) || (isPoison && !item.IsPoison))
                continue;
            newest.Enqueue(item);
            // One more than is answered tells that there are more.
            if (newest.Count > limit + 1)
                newest.Dequeue();
        }
        IEnumerable<JobItemAnswer> items = newest.Select(item => JobItemAnswer.Of(item, all));
        if (!isPoison)
            items = items.Concat(await strategies.ListAsync(context, all ? null : Caller(context).Tenant, status, before, limit + 1));
        JobItemAnswer[] jobs = [.. items.OrderByDescending(item => item.Id, StringComparer.Ordinal).Take(limit + 1)];
        JobsAnswer answer = new([.. jobs.Take(limit)], jobs.Length > limit);
        await JsonAnswer.WriteAsync(context, answer, JobsJson.Relaxed.JobsAnswer);
    }

    private async Task ShowAsync(HttpContext context)
    {
        if (await FindStrategyAsync(context, Permissions.AllJobs) is { } strategy)
        {
            bool isOwn = strategy.Submitter.Tenant == Caller(context).Tenant;
            await JsonAnswer.WriteAsync(context, await strategies.ShowAsync(context, strategy, isOwn), JobsJson.Relaxed.JobAnswer);
            return;
        }
        if (await FindAsync(context, Permissions.AllJobs) is not { } record)
            return;
        JobAnswer answer = JobAnswer.Of(record);
        if (record.Tenant == Caller(context).Tenant)
            answer = answer with { Result = await results.ReadAsync(record, context.RequestAborted) };
        await JsonAnswer.WriteAsync(context, answer, JobsJson.Relaxed.JobAnswer);
    }

    /// <summary>Cancels what is under way; deletes what has ended.</summary>
    private async Task DeleteAsync(HttpContext context)
    {
        if (await FindStrategyAsync(context) is { } strategy)
        {
            if (await strategies.CancelOrDeleteAsync(context, strategy) is { } left)
                await JsonAnswer.WriteAsync(context, left, JobsJson.Relaxed.JobAnswer);
            else
                context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        if (await FindAsync(context) is not { } record)
            return;
        if (!record.IsEnded && await jobs.CancelAsync(record.Id, CancellationToken.None) is { } cancelled)
        {
            await JsonAnswer.WriteAsync(context, JobAnswer.Of(cancelled), JobsJson.Relaxed.JobAnswer);
            return;
        }
        await records.DeleteAsync(record.Id, CancellationToken.None);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task StreamAsync(HttpContext context)
    {
        if (await FindStrategyAsync(context) is { } strategy)
            await strategyStream.WriteAsync(context, strategy);
        else if (await FindAsync(context) is { } record)
            await stream.WriteAsync(context, record);
    }

    private async Task SubscribeAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } record)
            return;
        if (record.SealedWith is not null)
        {
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status409Conflict, $"the text of job '{record.Id}' is encrypted and does not go through SignalR; read /jobs/{record.Id}/stream"));
            return;
        }
        // A user of its own for each client, that nobody can guess: nobody hears what is meant for another.
        Negotiation negotiation = await jobs.SubscribeAsync(record, $"client-{Guid.NewGuid():n}", context.RequestAborted);
        await JsonAnswer.WriteAsync(context, NegotiateAnswer.Of(negotiation), ClusterJson.Default.NegotiateAnswer);
    }

    private async Task RequeueAsync(HttpContext context)
    {
        if (await FindAsync(context, Permissions.AllJobs) is not { } record)
            return;
        if (record.Status == RecordStatus.Failed)
            record.Readable();
        if (record is not { Status: RecordStatus.Failed, Job: not null, IsBroken: false })
        {
            string why = record.Status != RecordStatus.Failed ? $"it is {JobAnswer.NameOf(record.Status)}, not failed"
                : record.IsBroken ? "its answer has begun, and no worker can go on with it" : "its prompt is not kept";
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status409Conflict, $"job '{record.Id}' cannot be queued again: {why}"));
            return;
        }
        JobRecord? queued = await jobs.RequeueAsync(record.Id, CancellationToken.None);
        if (queued is null)
            await ErrorAnswer.WriteAsync(context, NotFound(record.Id));
        else
            await JsonAnswer.WriteAsync(context, JobAnswer.Of(queued), JobsJson.Relaxed.JobAnswer, StatusCodes.Status202Accepted);
    }

    /// <summary>The job with a strategy that the path names; null: it names another, or none.</summary>
    /// <param name="foreign">What lets a caller see another tenant's; none: nothing does.</param>
    private async Task<StrategyRecord?> FindStrategyAsync(HttpContext context, Permissions? foreign = null) =>
        await strategies.FindAsync(Id(context), context.RequestAborted) is { } strategy
        && (strategy.Submitter.Tenant == Caller(context).Tenant || (foreign is { } needed && Caller(context).May(needed)))
            ? strategy
            : null;

    /// <summary>The job of the path, as it is now; null where the answer, a 404, has been written.</summary>
    /// <param name="foreign">What lets a caller see another tenant's job; none: nothing does.</param>
    private async Task<JobRecord?> FindAsync(HttpContext context, Permissions? foreign = null)
    {
        JobRecord? record = await records.SettleAsync(Id(context), context.RequestAborted);
        Principal caller = Caller(context);
        if (record is not null && (record.Tenant == caller.Tenant || (foreign is { } needed && caller.May(needed))))
            return record;
        await ErrorAnswer.WriteAsync(context, NotFound(Id(context)));
        return null;
    }
}

using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Batches;

/// <summary>Batches: submitted, shown, cancelled; run by an orchestration.</summary>
internal sealed class BatchJobs(
    BatchStore store, FileStore files, TaskHubs hubs, TenantRetention retention, IOptions<StrategyOptions> strategies, IOptions<BatchOptions> options, TimeProvider time)
{
    /// <summary>OpenAI's one completion window.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromHours(24);

    /// <summary>Between a batch's record and its orchestration there is a moment in which a server may be killed.</summary>
    private static readonly TimeSpan BegunWithin = TimeSpan.FromMinutes(1);

    /// <param name="id">Of the batch; what was begun under it is gone on with.</param>
    public async Task<Result<BatchAnswer>> TakeAsync(HttpContext context, string id, string fileId, string endpoint, IReadOnlyDictionary<string, string>? metadata)
    {
        if (hubs.Of(context).Failed(out ApiError? error, out DurableTaskClient? hub))
            return error;
        Submitter caller = Submitters.Of(context);
        if (retention.StoresNothing(caller.Tenant))
            return ApiError.BadRequest("batches need their lines' answers, and this server keeps none of yours (Retention)");
        if (await files.FindAsync(fileId, caller.Tenant, context.RequestAborted) is null)
            return ApiError.BadRequest("input_file_id names no file") with { Field = "input_file_id" };
        DateTimeOffset now = time.GetUtcNow();
        BatchRecord record = await store.CreateAsync(new()
        {
            Id = id,
            Submitter = caller,
            Endpoint = endpoint,
            InputFileId = fileId,
            CreatedAt = now,
            Deadline = now + Window,
            ExpiresAt = now + Window + retention.Of(caller.Tenant),
            Metadata = metadata,
        }, CancellationToken.None);
        BatchInput input = new() { Id = record.Id, MaxParallel = options.Value.MaxParallel, Retries = strategies.Value.Retries, Deadline = record.Deadline };
        BatchAnswer? taken = await WhileKept.RunAsync(
            async () =>
            {
                await OrchestrationStart.RunAsync(hub, BatchOrchestrator.Name, record.Id, input);
                return BatchAnswer.Of(record, Begun, now);
            },
            () => WhileKept.UnlessUnknownAsync(() => BatchContent.IsKeptAsync(store, record.Id)),
            () => OrchestrationPurge.EndAsync(hub, record.Id, time));
        return taken is null ? WhileKept.Deleted : taken;
    }

    /// <summary>What came of an earlier submission; null: nothing that runs, or it is gone.</summary>
    public async Task<BatchAnswer?> FindAsync(HttpContext context, KeyedSubmission submission, CancellationToken cancellationToken) =>
        await FindAsync(submission.JobId, RequestInfo.CallerOf(context).Tenant, cancellationToken) is { } record
        && hubs.Of(context).Value is { } hub
        && await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, cancellationToken) is { } state
            ? AnswerOf(record, state)
            : null;

    private static BatchProgress Begun => new("validating", 0, 0, 0);

    /// <summary>Null where there is none, or it is another tenant's.</summary>
    public async Task<BatchRecord?> FindAsync(string id, string tenant, CancellationToken cancellationToken) =>
        await store.FindAsync(id, cancellationToken) is { } record && record.Submitter.Tenant == tenant && record.ExpiresAt > time.GetUtcNow() ? record : null;

    public async Task<BatchAnswer> ShowAsync(HttpContext context, BatchRecord record) => hubs.Of(context).Value is { } hub
        ? AnswerOf(record, await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, context.RequestAborted))
        : BatchAnswer.Of(record, Begun, record.CreatedAt);

    /// <param name="after">Id of the last one that the caller has; empty: none.</param>
    public async Task<BatchesAnswer> ListAsync(HttpContext context, string tenant, string after, int limit)
    {
        IReadOnlyList<string> all = [.. (await store.ListAsync(tenant, context.RequestAborted)).Reverse().Where(id => after.Length == 0 || string.CompareOrdinal(id, after) < 0)];
        List<BatchAnswer> page = [];
        foreach (string id in all.Take(limit))
        {
            if (await FindAsync(id, tenant, context.RequestAborted) is { } record)
                page.Add(await ShowAsync(context, record));
        }
        return new(page, page.FirstOrDefault()?.Id, page.LastOrDefault()?.Id, all.Count > limit);
    }

    /// <summary>Tells it to end, and answers how far it is.</summary>
    public async Task<BatchAnswer> CancelAsync(HttpContext context, BatchRecord record)
    {
        if (hubs.Of(context).Value is not { } hub)
            return await ShowAsync(context, record);
        OrchestrationMetadata? state = await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, context.RequestAborted);
        if (state is not { IsCompleted: false })
            return AnswerOf(record, state);
        await hub.RaiseEventAsync(record.Id, EventNames.Cancel, record.Id, CancellationToken.None);
        BatchProgress progress = state.ReadCustomStatusAs<BatchProgress>() ?? Begun;
        return BatchAnswer.Of(record, progress with { State = "cancelling" }, time.GetUtcNow());
    }

    private BatchAnswer AnswerOf(BatchRecord record, OrchestrationMetadata? state)
    {
        BatchProgress progress = state switch
        {
            // Who submitted it was never told that it was taken on: it may have been submitted again.
            null when time.GetUtcNow() - record.CreatedAt > BegunWithin => Begun with { State = "failed", Error = "the server ended before it was begun; submit it again" },
            { RuntimeStatus: OrchestrationRuntimeStatus.Completed } => state.ReadOutputAs<BatchProgress>() ?? Begun,
            { IsCompleted: true } => Begun with { State = "failed", Error = state.FailureDetails?.ErrorMessage ?? "it was terminated" },
            null => Begun,
            _ => state.ReadCustomStatusAs<BatchProgress>() ?? Begun,
        };
        return BatchAnswer.Of(record, progress, state?.LastUpdatedAt ?? record.CreatedAt);
    }
}

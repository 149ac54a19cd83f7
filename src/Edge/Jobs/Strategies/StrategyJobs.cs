using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Jobs that are several: submitted, shown, cancelled and deleted like any other, and run by an orchestration.</summary>
internal sealed class StrategyJobs(
    StrategyStore store,
    SubmissionStore submissions,
    JobRecords records,
    JobResult results,
    JobFactory factory,
    VoteSeals votes,
    TaskHubs hubs,
    TenantRetention retention,
    IOptions<BackgroundOptions> background,
    IOptions<StrategyOptions> options,
    TimeProvider time)
{
    /// <summary>How long a cancellation is waited for; it goes on without its client too.</summary>
    private static readonly TimeSpan CancelledWithin = TimeSpan.FromSeconds(10);

    /// <summary>Between a job's record and its orchestration there is a moment in which a server may be killed.</summary>
    private static readonly TimeSpan BegunWithin = TimeSpan.FromMinutes(1);

    /// <summary>Orchestrations that are looked at together for a list.</summary>
    private const int ListedAtATime = 16;

    /// <param name="ticket">What was begun under its id is gone on with.</param>
    public async Task<Result<JobAnswer>> TakeAsync(HttpContext context, JobTicket ticket, JsonFields fields)
    {
        if (hubs.Of(context).Failed(out ApiError? error, out DurableTaskClient? hub))
            return error;
        if (retention.StoresNothing(RequestInfo.CallerOf(context).Tenant))
            return ApiError.BadRequest("jobs with a strategy need their branches' answers, and this server keeps none of yours (Retention)");
        if (StrategyRequest.Read(fields, options.Value.MaxBranches).Failed(out error, out StrategyRequest? request))
            return error;
        if (await CheckAsync(context, request) is { } refused)
            return refused;
        // Not cut short by a client that leaves now: it may have been taken on already.
        // The record first: content without one would never be deleted. A record without orchestration shows as failed after a while.
        StrategyRecord record = await store.CreateAsync(RecordOf(context, ticket, request), CancellationToken.None);
        JobAnswer? taken = await WhileKept.RunAsync(
            () => BeginAsync(hub, record, request),
            () => WhileKept.UnlessUnknownAsync(async () => await store.FindAsync(record.Id, CancellationToken.None) is not null),
            () => TakeBackAsync(hub, record.Id));
        return taken is null ? WhileKept.Deleted : taken;
    }

    /// <summary>What came of an earlier submission; null: nothing that runs, or it is gone.</summary>
    public async Task<JobAnswer?> FindAsync(HttpContext context, KeyedSubmission submission, CancellationToken cancellationToken) =>
        await FindAsync(submission.JobId, cancellationToken) is { } record
        && hubs.Of(context).Value is { } hub
        && await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, cancellationToken) is { } state
            ? AnswerOf(record, StrategyState.Of(state))
            : null;

    /// <summary>Null where there is none.</summary>
    public async Task<StrategyRecord?> FindAsync(string id, CancellationToken cancellationToken) =>
        await store.FindAsync(id, cancellationToken) is { } record && record.ExpiresAt > time.GetUtcNow() ? record : null;

    /// <summary>How far it is now.</summary>
    public async Task<StrategyState> LookAsync(HttpContext context, StrategyRecord record) => hubs.Of(context).Value is { } hub
        ? StateOf(record, await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, context.RequestAborted))
        : StrategyState.Submitted;

    /// <summary>What structured answers have agreed on, readable; null: there was no vote.</summary>
    /// <exception cref="ContentKeyException">Its key is not known here.</exception>
    public VoteOutcome? VoteOf(StrategyRecord record, StrategyState state) => state.Result?.Vote is { } vote ? votes.Open(record.Id, vote) : null;

    /// <param name="withResult">Only for whose it is.</param>
    public async Task<JobAnswer> ShowAsync(HttpContext context, StrategyRecord record, bool withResult) =>
        await AnswerOfAsync(record, await LookAsync(context, record), withResult, context.RequestAborted);

    /// <summary>The newest first. Each that is looked at costs two reads.</summary>
    /// <param name="tenant">Whose; null: all, and each says whose it is.</param>
    /// <param name="status">Only those; null: all.</param>
    /// <param name="before">Only those older than this id; null: all.</param>
    /// <param name="limit">So many, where there are; it may be some more.</param>
    public async Task<IReadOnlyList<JobItemAnswer>> ListAsync(HttpContext context, string? tenant, RecordStatus? status, string? before, int limit)
    {
        List<JobItemAnswer> items = [];
        IEnumerable<string> older = (await store.ListAsync(tenant, context.RequestAborted)).Where(id => before is null || string.CompareOrdinal(id, before) < 0);
        foreach (string[] ids in older.Reverse().Chunk(ListedAtATime))
        {
            if (items.Count >= limit)
                break;
            JobItemAnswer?[] looked = await Task.WhenAll(ids.Select(id => ItemAsync(context, id, status, withTenant: tenant is null)));
            items.AddRange(looked.OfType<JobItemAnswer>());
        }
        return items;
    }

    /// <summary>Cancels what is under way, with its branches, and answers what has become of it; deletes what has ended, and answers null.</summary>
    public async Task<JobAnswer?> CancelOrDeleteAsync(HttpContext context, StrategyRecord record)
    {
        DurableTaskClient? hub = hubs.Of(context).Value;
        OrchestrationMetadata? state = hub is null ? null : await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, context.RequestAborted);
        if (hub is not null && state is { IsCompleted: false })
            return await CancelAsync(hub, record);
        if (record.Submission is { } submission)
            await submissions.NoteTakenAsync(submission, record.Id, record.Submitter.Tenant, CancellationToken.None);
        foreach (BranchView branch in StateOf(record, state).Branches)
        {
            if (branch.JobId is { } job)
                await records.DeleteAsync(job, CancellationToken.None);
        }
        if (hub is not null)
            await hub.PurgeInstanceAsync(record.Id, CancellationToken.None);
        await store.DeleteAsync(record.Id, CancellationToken.None);
        return null;
    }

    private async Task<JobAnswer> CancelAsync(DurableTaskClient hub, StrategyRecord record)
    {
        await hub.RaiseEventAsync(record.Id, EventNames.Cancel, record.Id, CancellationToken.None);
        using CancellationTokenSource patience = new(CancelledWithin, time);
        try
        {
            await hub.WaitForInstanceCompletionAsync(record.Id, patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // It is told, and will end; the answer shows how far it is.
        }
        OrchestrationMetadata? state = await hub.GetInstanceAsync(record.Id, getInputsAndOutputs: true, CancellationToken.None);
        return await AnswerOfAsync(record, StateOf(record, state), withResult: false, CancellationToken.None);
    }

    /// <summary>What any branch would be refused for is said at once.</summary>
    private async Task<ApiError?> CheckAsync(HttpContext context, StrategyRequest request)
    {
        List<(string Model, string? Prompt)> asked = [.. request.Models.Distinct(StringComparer.Ordinal).Select(model => (model, request.Text is null ? null : "map"))];
        if (request.Text is not null)
            asked.Add((request.Models[0], "reduce"));
        if (request.JudgeModel is { } judge)
            asked.Add((judge, "judge"));
        foreach (var (model, prompt) in asked)
        {
            if (request.Content.Branch(model, prompt, "text").Failed(out ApiError? error, out JobSubmission? submission)
                || (await factory.CreateAsync(submission.Request, RequestInfo.Of(context), context.RequestAborted)).Failed(out error, out _))
                return error;
        }
        return null;
    }

    private StrategyRecord RecordOf(HttpContext context, JobTicket ticket, StrategyRequest request)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset deadline = now + background.Value.Deadline;
        Submitter submitter = Submitters.Of(context);
        RecordPolicy kept = retention.PolicyOf(submitter.Tenant);
        return new StrategyRecord
        {
            Id = ticket.Id,
            Submission = ticket.Submission,
            Submitter = submitter,
            Strategy = request.Strategy,
            Models = [.. request.Models.Distinct(StringComparer.Ordinal)],
            CreatedAt = now,
            Deadline = deadline,
            ExpiresAt = deadline + (kept.Retention > kept.FiguresKept ? kept.Retention : kept.FiguresKept),
        };
    }

    private async Task<JobAnswer> BeginAsync(DurableTaskClient hub, StrategyRecord record, StrategyRequest request)
    {
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(request.Content, StrategyContentJson.Default.StrategyContent);
        await store.PutContentAsync(record.Id, StrategyContent.Name, new BinaryData(content), CancellationToken.None);
        if (request.Text is { } text)
            await store.PutContentAsync(record.Id, StrategyContent.Text, new BinaryData(text), CancellationToken.None);
        await OrchestrationStart.RunAsync(hub, record.Strategy, record.Id, InputOf(record, request));
        return AnswerOf(record, StrategyState.Submitted);
    }

    private async Task TakeBackAsync(DurableTaskClient hub, string id)
    {
        // The content first: it is what must not stay, and the hub may be away.
        await store.DeleteContentAsync(id, CancellationToken.None);
        await OrchestrationPurge.EndAsync(hub, id, time);
    }

    private StrategyInput InputOf(StrategyRecord record, StrategyRequest request) => new()
    {
        Id = record.Id,
        Models = request.Models,
        JudgeModel = request.JudgeModel,
        FanIn = request.FanIn,
        MaxParallel = options.Value.MaxParallel,
        Retries = options.Value.Retries,
        Deadline = record.Deadline,
    };

    private async Task<JobItemAnswer?> ItemAsync(HttpContext context, string id, RecordStatus? status, bool withTenant)
    {
        if (await FindAsync(id, context.RequestAborted) is not { } record)
            return null;
        StrategyState state = await LookAsync(context, record);
        return status is null || state.Status == status
            ? new JobItemAnswer(id, JobAnswer.NameOf(state.Status), ModelsOf(record), record.CreatedAt.UtcDateTime, state.Error, withTenant ? record.Submitter.Tenant : null)
            {
                Strategy = record.Strategy,
                EndedAt = state.EndedAt?.UtcDateTime,
            }
            : null;
    }

    private StrategyState StateOf(StrategyRecord record, OrchestrationMetadata? state) => state is not null ? StrategyState.Of(state)
        : time.GetUtcNow() - record.CreatedAt > BegunWithin ? StrategyState.NeverBegun
        : StrategyState.Submitted;

    private static string ModelsOf(StrategyRecord record) => string.Join(", ", record.Models);

    private static JobAnswer AnswerOf(StrategyRecord record, StrategyState state) => new()
    {
        Id = record.Id,
        Status = JobAnswer.NameOf(state.Status),
        Model = ModelsOf(record),
        CreatedAt = record.CreatedAt.UtcDateTime,
        EndedAt = state.EndedAt?.UtcDateTime,
        Deadline = record.Deadline.UtcDateTime,
        ExpiresAt = record.ExpiresAt.UtcDateTime,
        Attempts = 0,
        FailedAttempts = [],
        Poison = false,
        Interactive = false,
        RequestId = record.Submitter.RequestId,
        Strategy = record.Strategy,
        Branches = [.. state.Branches.Select(BranchAnswer.Of)],
        Error = state.Error,
    };

    private async Task<JobAnswer> AnswerOfAsync(StrategyRecord record, StrategyState state, bool withResult, CancellationToken cancellationToken)
    {
        JobAnswer answer = AnswerOf(record, state);
        if (!withResult || state.Result is not { } result)
            return answer;
        return answer with
        {
            Vote = VoteOf(record, state) is { } vote ? VoteAnswer.From(vote) : null,
            Result = await ResultOfAsync(record, result, cancellationToken),
        };
    }

    private async Task<JsonElement?> ResultOfAsync(StrategyRecord record, StrategyResult result, CancellationToken cancellationToken)
    {
        List<ChoiceAnswer> answers = [];
        foreach (string id in result.Answers)
        {
            JobRecord? job = await records.SettleAsync(id, cancellationToken);
            answers.Add(new(id, job is null ? null : await results.ReadAsync(job, cancellationToken)));
        }
        if (record.Strategy != Orchestrations.Strategies.Choices)
            return answers.FirstOrDefault()?.Result;
        return answers.Count == 0 ? null : JsonSerializer.SerializeToElement(new ChoicesAnswer(answers), JobsJson.Relaxed.ChoicesAnswer);
    }
}

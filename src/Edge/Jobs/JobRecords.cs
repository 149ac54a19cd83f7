using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Changes job records: reads, lets the record decide, writes back under its ETag, and sees to what follows from an end. Any edge may do
/// so for any job, at any time and more than once.
/// </summary>
internal sealed partial class JobRecords(
    JobRecordStore store,
    SubmissionStore submissions,
    CompletionQueue completions,
    WorkerChannel workers,
    ActiveJobs active,
    UsageMeter usage,
    TenantRetention retention,
    OperatorNotices notices,
    DispatchMetrics dispatch,
    RequestMetrics requests,
    TimeProvider time,
    ILogger<JobRecords> logger)
{
    /// <summary>Writers that get in between, each once: more than there ever are at a time.</summary>
    private const int MostTries = 20;

    /// <summary>After so long without a claim a job is queued again.</summary>
    public TimeSpan QueueAgain => retention.Policy.QueueAgain;

    /// <returns>It, or the one of this id that is there: two edges may have gone on with one submission.</returns>
    public async Task<JobRecord> CreateAsync(JobRecord record, CancellationToken cancellationToken)
    {
        try
        {
            return (await store.CreateAsync(record, record.DueAt(retention.Policy), cancellationToken)).Record;
        }
        catch (RequestFailedException e) when (e.Status == StatusCodes.Status409Conflict)
        {
            if (await store.FindAsync(record.Id, cancellationToken) is { } there)
                return there.Record;
            throw;
        }
    }

    /// <summary>The job as it is now: an end that its output tells of, or a deadline that has passed, is written first. Null where there is none.</summary>
    public Task<JobRecord?> SettleAsync(string id, CancellationToken cancellationToken) => SettleAsync(id, isAnnounced: false, cancellationToken);

    private Task<JobRecord?> SettleAsync(string id, bool isAnnounced, CancellationToken cancellationToken) => ApplyAsync(
        id,
        async record => new RecordCommand.Settle(
            record.Status == RecordStatus.Running ? await FactsAsync(id, cancellationToken) : OutputFacts.None, time.GetUtcNow()),
        isAnnounced,
        cancellationToken);

    public Task<JobRecord?> ApplyAsync(string id, Func<DateTimeOffset, RecordCommand> command, CancellationToken cancellationToken) =>
        ApplyAsync(id, _ => ValueTask.FromResult(command(time.GetUtcNow())), cancellationToken);

    /// <summary>The record after the command; null where there is no such job (any more).</summary>
    public Task<JobRecord?> ApplyAsync(string id, Func<JobRecord, ValueTask<RecordCommand>> decide, CancellationToken cancellationToken) =>
        ApplyAsync(id, decide, isAnnounced: false, cancellationToken);

    /// <param name="id">Of the job.</param>
    /// <param name="decide">What is to become of it.</param>
    /// <param name="isAnnounced">Whoever waits for its end is told by the caller.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    private async Task<JobRecord?> ApplyAsync(string id, Func<JobRecord, ValueTask<RecordCommand>> decide, bool isAnnounced, CancellationToken cancellationToken)
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            if (await FindAsync(id, cancellationToken) is not { } found)
            {
                active.Remove(id);
                return null;
            }
            RecordPolicy policy = retention.PolicyOf(found.Record.Tenant);
            JobRecord next = found.Record.Apply(await decide(found.Record), policy);
            if (ReferenceEquals(next, found.Record))
            {
                // Another edge may have written its end.
                if (next.IsEnded)
                    active.Remove(id);
                return next;
            }
            // Known before it has ended: where storage does not tell it, the end is left to whoever comes across it next.
            int tokens = next is { IsEnded: true, Credential: not null } && !found.Record.IsEnded ? await TokensAsync(next, cancellationToken) : 0;
            // Whoever took it on may not have come to note so. Once it is deleted nothing else would tell, and what comes again under its key would run again.
            if (next is { IsEnded: true, Submission: { } submission } && !found.Record.IsEnded)
                await submissions.NoteTakenAsync(submission, next.Id, next.Tenant, CancellationToken.None);
            // Not cut short by who leaves now: what follows from an end follows from whoever wrote it, or never.
            if (await store.ReplaceAsync(found, next, next.DueAt(policy), CancellationToken.None) is { } stored)
                return await FollowUpAsync(found.Record, stored.Record, tokens, isAnnounced);
        }
        throw new InvalidOperationException($"the record of job {id} was changed by others {MostTries} times in a row");
    }

    /// <summary>Gives a job that failed another chance; what it has come to until now is counted already.</summary>
    public Task<JobRecord?> RequeueAsync(string id, TimeSpan deadline, CancellationToken cancellationToken) => ApplyAsync(
        id,
        async record => new RecordCommand.Requeue(deadline, UsageMeter.Of(record, await TokensAsync(record, cancellationToken)), time.GetUtcNow()),
        cancellationToken);

    /// <summary>Writes what its output, its deadline or its retention say is due.</summary>
    /// <returns>The job as it is now; null where there is none.</returns>
    public Task<JobRecord?> TendAsync(string id, CancellationToken cancellationToken) => TendAsync(id, isAnnounced: false, cancellationToken);

    /// <summary>The same for a caller that tells whoever waits for its end.</summary>
    public Task<JobRecord?> CompleteAsync(string id, CancellationToken cancellationToken) => TendAsync(id, isAnnounced: true, cancellationToken);

    private async Task<JobRecord?> TendAsync(string id, bool isAnnounced, CancellationToken cancellationToken)
    {
        JobRecord? record = await SettleAsync(id, isAnnounced, cancellationToken);
        if (record is { IsEnded: true, HasContent: true } && record.DueAt(retention.Policy) <= time.GetUtcNow())
            await StripAsync(id, cancellationToken);
        return record;
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        active.Remove(id);
        return store.DeleteAsync(id, cancellationToken);
    }

    /// <summary>A record whose time is over is deleted by who comes across it.</summary>
    private async Task<StoredRecord?> FindAsync(string id, CancellationToken cancellationToken)
    {
        StoredRecord? found = await store.FindAsync(id, cancellationToken);
        if (found?.Record.ExpiresAt is not { } expiresAt || expiresAt > time.GetUtcNow())
            return found;
        await DeleteAsync(id, cancellationToken);
        return null;
    }

    private async ValueTask<OutputFacts> FactsAsync(string id, CancellationToken cancellationToken)
    {
        JobOutputBlob output = store.Output(id);
        await output.LookAsync(cancellationToken);
        return output.Facts;
    }

    /// <summary>Tokens of its answer, where it has no statistics.</summary>
    private async ValueTask<int> TokensAsync(JobRecord record, CancellationToken cancellationToken) =>
        record is { Statistics: null, HasOutput: true, Embedding: null } ? (await FactsAsync(record.Id, cancellationToken)).Tokens : 0;

    /// <param name="before">The command.</param>
    /// <param name="after">It.</param>
    /// <param name="tokens">Of its answer, where it has no statistics.</param>
    /// <param name="isAnnounced">Whoever waits for its end is told by the caller.</param>
    private async Task<JobRecord?> FollowUpAsync(JobRecord before, JobRecord after, int tokens, bool isAnnounced)
    {
        if (!after.IsEnded)
        {
            active.Add(after.Id, after.Model);
            return after;
        }
        active.Remove(after.Id);
        if (before.IsEnded)
            return after;
        if (after.IsPoison)
        {
            dispatch.SetAside();
            notices.Tell(NoticeTypes.Poison, after.Id, $"a job for {after.ModelName} of {after.Tenant} was set aside: {after.Error?.Message}");
        }
        if (after.Statistics is { } statistics)
            requests.Used(statistics, after.AnsweredBy);
        // Whoever wrote the end counts it: nobody else did.
        usage.Count(after, tokens);
        if (before is { Status: RecordStatus.Running, Attempt: { } attempt } && after.Error is not null)
            await workers.StopAsync(attempt.WorkerId, after.Id, attempt.Nonce);
        // A worker that dies over its message, or storage that is away then, leaves an end that whoever comes across it writes: the orchestration would find it out minutes later.
        if (after.StrategyId is not null && !isAnnounced)
            await TryAsync(after.Id, () => completions.AddAsync(new JobCompletion(after.Id, after.Attempts), CancellationToken.None));
        // Without a fence a worker that did not hear it either is denied when it asks for fresh signatures.
        if (after.Error is { } error)
            await TryAsync(after.Id, () => store.Output(after.Id).FenceAsync(after.Attempts, error, CancellationToken.None));
        JobRecord? kept = after;
        // Otherwise whoever tends it does so: it stays due.
        if (after.DueAt(retention.Policy) <= time.GetUtcNow())
            await TryAsync(after.Id, async () => kept = await StripAsync(after.Id, CancellationToken.None));
        return kept;
    }

    /// <summary>The end is written, whatever becomes of this: what else follows from it is not to be left out.</summary>
    private async Task TryAsync(string id, Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception e) when (StorageFailure.Is(e, CancellationToken.None))
        {
            LogNotFollowedUp(e, id);
        }
    }

    private async Task<JobRecord?> StripAsync(string id, CancellationToken cancellationToken)
    {
        await store.Output(id).DeleteIfExistsAsync(cancellationToken);
        return await ApplyAsync(id, at => new RecordCommand.Strip(at), cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Background job {Job} has ended, and storage did not take all that follows from it")]
    private partial void LogNotFollowedUp(Exception exception, string job);
}

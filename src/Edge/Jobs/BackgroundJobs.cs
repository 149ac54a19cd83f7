using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Placement;
using OllamaMax.Security;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Jobs;

/// <summary>What can be done with background jobs: clients submit, cancel and delete, operators queue again, workers claim.</summary>
internal sealed partial class BackgroundJobs(
    JobRecords records,
    JobRecordStore store,
    JobQueues queues,
    CompletionQueue completions,
    JobDispatcher dispatcher,
    WorkerChannel workers,
    EdgeSeals seals,
    ContentKeys keys,
    ClusterWatch watch,
    SignalRHub hub,
    ActiveJobs active,
    ClaimRules rules,
    IModelSource models,
    PlacementRules placement,
    IOptions<BackgroundOptions> options,
    TimeProvider time,
    ILogger<BackgroundJobs> logger)
{
    /// <summary>What a worker is given for a job lasts at least this long; it claims again for more.</summary>
    private static readonly TimeSpan SignatureLifetime = JobQueues.SignatureLifetime;

    private static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ForGood = TimeSpan.FromSeconds(-1);

    /// <summary>Between the tries to put a message that storage did not take, doubling.</summary>
    private static readonly TimeSpan FirstTry = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Who joins while a job waits is told soon.</summary>
    private static readonly TimeSpan ListingIsUsable = TimeSpan.FromSeconds(5);

    /// <summary>The way of an answer to a worker, and of what that makes of it to storage.</summary>
    private static readonly TimeSpan AnswerTakes = TimeSpan.FromMilliseconds(300);

    /// <summary>Takes the job on: when this is done, it will be run whatever becomes of this edge.</summary>
    /// <param name="record">New (<see cref="JobRecord.Create"/>).</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    /// <returns>It, or the one of its id that is there.</returns>
    public async Task<JobRecord> SubmitAsync(JobRecord record, CancellationToken cancellationToken)
    {
        // The record first: a message without one would be thrown away. A record without message is found when it is due.
        try
        {
            record = await records.CreateAsync(record, cancellationToken);
        }
        catch (Exception failure) when (record is { Submission: null, StrategyId: null } && StorageFailure.Is(failure, CancellationToken.None))
        {
            // Who is refused submits it again, under another id: should storage have taken this one, it is not to run as well.
            _ = UntilTakenAsync(record.Id, () => records.DeleteAsync(record.Id, CancellationToken.None));
            throw;
        }
        await EnqueueOrLaterAsync(record, cancellationToken);
        return record;
    }

    public Task<JobRecord?> CancelAsync(string id, CancellationToken cancellationToken) =>
        records.ApplyAsync(id, at => new RecordCommand.Cancel(at), cancellationToken);

    /// <summary>Whatever has become of it: its worker is told to stop, and cannot write any more.</summary>
    public async Task EraseAsync(string id, CancellationToken cancellationToken)
    {
        await CancelAsync(id, cancellationToken);
        await records.DeleteAsync(id, cancellationToken);
    }

    /// <summary>The job as it is now; queued where that could be done.</summary>
    public async Task<JobRecord?> RequeueAsync(string id, CancellationToken cancellationToken)
    {
        JobRecord? record = await records.RequeueAsync(id, options.Value.Deadline, cancellationToken);
        if (record is { Status: RecordStatus.Queued })
            await EnqueueOrLaterAsync(record, cancellationToken);
        return record;
    }

    /// <summary>
    /// Lets a client listen to a job: its worker, and each later one, sends what it has stored to the job's group. The token lasts long enough to
    /// connect; the connection outlives it.
    /// </summary>
    /// <param name="user">Of this client alone.</param>
    public async Task<Negotiation> SubscribeAsync(JobRecord record, string user, CancellationToken cancellationToken)
    {
        SendOutcome outcome = await hub.AddToGroupAsync(user, Users.Watchers(record.Id), cancellationToken);
        if (outcome is not SendOutcome.Sent)
            LogNotSubscribed(record.Id, outcome);
        JobRecord? subscribed = await records.ApplyAsync(record.Id, at => new RecordCommand.Subscribe(at), cancellationToken);
        // Who runs it already has read the record before this.
        if (subscribed is { Status: RecordStatus.Running, Attempt: { } attempt })
            await workers.WatchAsync(attempt.WorkerId, record.Id);
        return hub.Negotiate(user, TokenLifetime);
    }

    /// <summary>Puts another message for a job that may have lost its own. One too many does no harm: its claim is refused.</summary>
    public Task QueueAgainAsync(string id, CancellationToken cancellationToken) => QueueAgainAsync(id, static _ => true, cancellationToken);

    /// <param name="id">Of the job.</param>
    /// <param name="isMissing">Whether a message of the model's is missing. Else the job has been looked at, which it is again when it has waited as long once more.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public async Task QueueAgainAsync(string id, Func<string, bool> isMissing, CancellationToken cancellationToken)
    {
        if (await records.ApplyAsync(id, at => new RecordCommand.Queued(at), cancellationToken) is { Status: RecordStatus.Queued } record && isMissing(record.Model))
            await EnqueueOrLaterAsync(record, cancellationToken);
    }

    /// <summary>Messages that wait for a model's workers or are held by them.</summary>
    public Task<int> MessagesAsync(string model, CancellationToken cancellationToken) => queues.CountAsync(model, Band.Batch, cancellationToken);

    public async Task<JobClaimAnswer> ClaimAsync(string id, JobClaimRequest request, CancellationToken cancellationToken)
    {
        JobOutputBlob output = store.Output(id);
        string nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        TimeSpan? later = null;
        JobRecord? record = await records.ApplyAsync(
            id,
            async found =>
            {
                await output.LookAsync(cancellationToken);
                // Before an attempt is issued that nobody could be granted.
                if (!found.IsEnded)
                    found.Readable();
                later = await rules.LaterAsync(found, request, output.Facts, cancellationToken);
                // Before the record has the claim: whoever deletes the job after that finds it, and a worker cannot write any more.
                if (later is null && !found.IsEnded)
                    await output.CreateIfNotExistsAsync(cancellationToken);
                // Whoever gets it, what has become of the last attempt is to be known.
                return (RecordCommand)(later is null
                    ? new RecordCommand.Claim(request.ClaimId, request.WorkerId, request.MessageId, nonce, output.Facts, time.GetUtcNow())
                    : new RecordCommand.Settle(output.Facts, time.GetUtcNow()));
            },
            cancellationToken);
        if (later is { } wait)
        {
            if (record is not null && wait == ClaimRules.NotForThisOne)
                _ = NudgeAfterAsync(wait, record);
            return new JobClaimAnswer(null, wait);
        }
        if (record is null)
            await output.DeleteIfExistsAsync(cancellationToken);
        if (record is not { IsEnded: false, Job: { } job, Attempt: { } attempt } || record.ClaimId != request.ClaimId || attempt.WorkerId != request.WorkerId)
            return new JobClaimAnswer(null);
        LogClaimed(job.RequestId, id, attempt.Number, attempt.WorkerId);
        return new JobClaimAnswer(await GrantAsync(record, job, attempt, cancellationToken));
    }

    /// <summary>Tells workers that something waits for this model, by a listing that is fresh enough.</summary>
    public Task NudgeAsync(string model, CancellationToken cancellationToken) => NudgeAsync(model, tenant: null, hasImages: false, cancellationToken);

    // Of workers that may not have it none is woken for it.
    private Task NudgeAsync(JobRecord record, CancellationToken cancellationToken) =>
        NudgeAsync(record.Model, record.Tenant, record.Job?.Forward?.HasImages == true, cancellationToken);

    /// <param name="tenant">Whose job it is, as not all workers may have it; null: several's.</param>
    /// <param name="hasImages">The job has images, which not all workers hand on.</param>
    private async Task NudgeAsync(string model, string? tenant, bool hasImages, CancellationToken cancellationToken)
    {
        try
        {
            await watch.GetAsync(ListingIsUsable, cancellationToken);
            PlacementRule rule = placement.KeepAnybodyAway || hasImages ? placement.Of(model, await models.ListAsync(cancellationToken), tenant, hasImages) : PlacementRule.Default;
            dispatcher.Nudge(model, Band.Batch, rule);
        }
        catch (Exception e) when (e is CatalogException || StorageFailure.Is(e, cancellationToken))
        {
            // Workers look into their queues unasked as well.
            LogNotNudged(e, model);
        }
    }

    /// <summary>Its message shows again then, and those whom it was kept for have looked already, and found nothing. Its worker hides it only once it has this edge's answer.</summary>
    private async Task NudgeAfterAsync(TimeSpan wait, JobRecord record)
    {
        await Task.Delay(wait + AnswerTakes, time);
        await NudgeAsync(record, CancellationToken.None);
    }

    /// <summary>The record says that it is queued: whoever is told that it could not be has no way to have it queued now.</summary>
    private async Task EnqueueOrLaterAsync(JobRecord record, CancellationToken cancellationToken)
    {
        try
        {
            await EnqueueAsync(record, cancellationToken);
        }
        catch (Exception failure) when (StorageFailure.Is(failure, CancellationToken.None))
        {
            LogQueuedLater(record.RequestId, record.Id, failure);
            _ = UntilTakenAsync(record.Id, async () =>
            {
                if (await records.SettleAsync(record.Id, CancellationToken.None) is { Status: RecordStatus.Queued } still)
                    await EnqueueAsync(still, CancellationToken.None);
            });
        }
    }

    /// <summary>Tries until storage takes it. If this edge ends before, a message is found to be missing by the next one that starts, or by a sweep.</summary>
    private async Task UntilTakenAsync(string id, Func<Task> act)
    {
        for (TimeSpan wait = FirstTry; ; wait = wait < LongestWait ? wait * 2 : LongestWait)
        {
            await Task.Delay(wait, time);
            try
            {
                await act();
                return;
            }
            catch (Exception e) when (StorageFailure.Is(e, CancellationToken.None))
            {
                // Not back yet.
            }
            catch (Exception e)
            {
                // Nobody awaits this.
                LogGivenUp(e, id);
                return;
            }
        }
    }

    private async Task EnqueueAsync(JobRecord record, CancellationToken cancellationToken)
    {
        var message = new QueuedJob(ProtocolVersion.Current, record.Id, record.Model, Band.Batch, Reply: null);
        await queues.EnqueueAsync(message, ForGood, cancellationToken);
        active.Add(record.Id, record.Model);
        await NudgeAsync(record, cancellationToken);
    }

    private async Task<JobClaimGrant> GrantAsync(JobRecord record, Job job, Attempt attempt, CancellationToken cancellationToken)
    {
        job = job with { Parsing = job.Parsing.ForWorkers() };
        DateTimeOffset expiresAt = time.GetUtcNow() + SignatureLifetime;
        TimeSpan remaining = record.Deadline - time.GetUtcNow();
        GrantMessage grant = new()
        {
            Version = ProtocolVersion.Current,
            JobId = record.Id,
            Attempt = attempt,
            Job = job,
            Remaining = remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero,
            Reply = hub.ReplyToGroup(Users.Watchers(record.Id), SignatureLifetime),
        };
        SealedContent? key = null;
        if (record.SealedWith is { } sealedWith)
            (grant, key) = await SealAsync(grant, job, sealedWith);
        return new JobClaimGrant
        {
            Grant = grant,
            ContentKey = key,
            OutputUrl = await store.OutputUrlAsync(record.Id, expiresAt, cancellationToken),
            CompletionsUrl = await completions.AddUrlAsync(expiresAt, cancellationToken),
            QueueUrl = queues.SignedUrl(record.Model, Band.Batch),
            ValidFor = SignatureLifetime,
            Lease = options.Value.Lease,
            StallTimeout = options.Value.StallTimeout,
            Watched = record.IsSubscribed,
        };
    }

    /// <summary>Whoever reads the answer to a claim on its way, where that is plain http, has nothing of the job and not its key: both are for this worker alone.</summary>
    private async Task<(GrantMessage Grant, SealedContent Key)> SealAsync(GrantMessage grant, Job job, string keyId)
    {
        AttemptSeal seal = await seals.OfGrantAsync(grant.JobId, grant.Attempt)
            ?? throw new InvalidOperationException($"worker {grant.Attempt.WorkerId} was let in, and is not enrolled any more");
        byte[] key = seal.Seal(SealedPart.ContentKey, 0, keys.Of(keyId, ContentKind.Job, grant.JobId).Key);
        return (SealedMessages.Seal(grant, seals.PublicKey, SealedMessages.Seal(job, seal), seal), new(keyId, key));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request {RequestId}: background job {Job} could not be queued, and will be when storage is back")]
    private partial void LogQueuedLater(string? requestId, string job, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "What storage did not take of background job {Job} at first is left to a sweep")]
    private partial void LogGivenUp(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Request {RequestId}: background job {Job}, attempt {Number} goes to worker {Worker}")]
    private partial void LogClaimed(string requestId, string job, int number, string worker);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A subscriber of background job {Job} was not put into its group, and will have to ask: {Outcome}")]
    private partial void LogNotSubscribed(string job, SendOutcome outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nobody was told that a background job waits for {Model}")]
    private partial void LogNotNudged(Exception exception, string model);
}

using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// How the dispatcher's jobs wait: in the <see cref="Backlog"/> until it is their turn, then by a message in their model's queue. Storage answers that late, with a refusal
/// or not at all, and what follows from it is known here alone: owners are told only that a message is there, or that there is none to wait by.
/// The dispatcher's loop owns it; nothing else may touch it.
/// </summary>
internal sealed partial class JobQueueing(
    Backlog backlog, JobQueues queues, WorkerChannel workers, StoragePatience storage, DispatchMetrics metrics, ILogger<JobQueueing> logger)
{
    /// <summary>Storage usually answers a put in a few milliseconds; after this it is not counted upon.</summary>
    private static readonly TimeSpan PutIsLate = TimeSpan.FromMilliseconds(500);

    /// <summary>Who was refused looks once more, finds nothing, and leaves the queue to others.</summary>
    private static readonly TimeSpan NotForThisOne = TimeSpan.FromSeconds(1);

    /// <inheritdoc cref="Backlog.Began"/>
    public void Began(JobRun run) => backlog.Began(run);

    /// <inheritdoc cref="Backlog.MustWait"/>
    public bool MustWait(JobRun run) => backlog.MustWait(run);

    /// <summary>Lets it wait, unless too many do; its message is put when it is its tenant's turn (<see cref="TakeNext"/>). Null, or why it may not wait.</summary>
    public JobError? Add(JobRun run)
    {
        JobError? refusal = backlog.Add(run);
        if (refusal is not null)
            metrics.Refused();
        return refusal;
    }

    /// <summary>Those whose messages are to be put now.</summary>
    public IReadOnlyList<JobRun> TakeNext(TimeSpan now)
    {
        IReadOnlyList<JobRun> next = backlog.TakeNext();
        foreach (JobRun run in next)
        {
            metrics.Queued();
            run.PutSince ??= now;
        }
        return next;
    }

    /// <summary>Puts its message into the model's queue. What came of it is for <see cref="Settle"/>.</summary>
    public async Task<QueuePut> PutAsync(JobRun run, TimeSpan now)
    {
        int number = run.Owner.Put;
        try
        {
            // What was taken too late is deleted when it is claimed.
            var message = await storage.WaitAsync(token => PutAsync(run.Job, run.Remaining(now), token), CancellationToken.None);
            return new QueuePut(number, message);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogNotPut(e, run.Job.RequestId);
            return new QueuePut(number, Message: null, IsRefused: e is RequestFailedException { Status: not 0 });
        }
    }

    /// <summary>What the job's owner is to be told of a put; null: nothing.</summary>
    public Action? Settle(JobRun run, QueuePut put, TimeSpan now)
    {
        if (put.Message is var (messageId, popReceipt))
            return () => run.Owner.Enqueued(put.Number, messageId, popReceipt, now);
        if (put.Number != run.Owner.Put || !run.Owner.IsQueueing)
            return null;
        // A client that has seen text waits for storage as it waits for a worker, up to the deadline. Each trial takes its time (StoragePatience).
        if (!put.IsRefused && run.Owner.HasBeenAccepted && backlog.PutBack(run))
            return null;
        return () => run.Owner.EnqueueFailed(Backlog.NoQueue);
    }

    /// <summary>Storage has not taken its message for so long that a worker will hardly find it in the queue.</summary>
    public static bool IsLate(JobRun run, TimeSpan now) => run.PutSince is { } since && now - since >= PutIsLate;

    /// <summary>Its owner has decided something, and it may not wait any more.</summary>
    public void Follow(JobRun run)
    {
        if (!run.Owner.IsQueueing)
            run.PutSince = null;
        if (!run.Owner.IsWaiting)
            backlog.Left(run);
    }

    /// <inheritdoc cref="Backlog.Answered"/>
    public void Answered(string model, TimeSpan runningTime) => backlog.Answered(model, runningTime);

    /// <inheritdoc cref="Backlog.Ended"/>
    public void Ended(JobRun run) => backlog.Ended(run);

    public Task DeleteAsync(Job job, string messageId, string popReceipt) =>
        queues.DeleteAsync(job.Model, job.Band, messageId, popReceipt, CancellationToken.None);

    /// <summary>Nobody here owns the job any more: its message is for nobody.</summary>
    public Task DeleteAsync(Claim claim) => queues.DeleteAsync(claim.Model, claim.Band, claim.MessageId, claim.PopReceipt, CancellationToken.None);

    /// <summary>The worker may not have it: others are to see the message soon, not when its hiding ends.</summary>
    public async Task PutBackAsync(string workerId, Claim claim)
    {
        await queues.PutBackAsync(claim.Model, claim.Band, claim.MessageId, claim.PopReceipt, NotForThisOne, CancellationToken.None);
        await workers.DenyAsync(workerId, claim.JobId);
    }

    /// <summary>The message has ids only.</summary>
    private Task<(string MessageId, string PopReceipt)> PutAsync(Job job, TimeSpan remaining, CancellationToken cancellationToken)
    {
        var message = new QueuedJob(ProtocolVersion.Current, job.Id, job.Model, job.Band, workers.Reply(remaining));
        // Storage counts whole seconds; a message that outlives its job by a little is denied when it is claimed.
        TimeSpan lifetime = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(remaining.TotalSeconds)));
        return queues.EnqueueAsync(message, lifetime, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} could not be queued")]
    private partial void LogNotPut(Exception exception, string requestId);
}

/// <summary>What came of putting a job's message into its model's queue.</summary>
/// <param name="Number">Which time it was (<see cref="JobOwner.Put"/>).</param>
/// <param name="Message">Null: storage has not taken it, as far as is known.</param>
/// <param name="IsRefused">Storage said no; otherwise it did not answer.</param>
internal sealed record QueuePut(int Number, (string MessageId, string PopReceipt)? Message, bool IsRefused = false);

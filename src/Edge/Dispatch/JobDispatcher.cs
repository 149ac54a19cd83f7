using System.Security.Cryptography;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Jobs.Records;
using OllamaMax.Placement;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// Owns this edge's interactive jobs. One loop reads everything that happens (requests, workers' messages, answers of storage, the
/// passing of time), lets the job's owner decide, and sees to what it decided; so nothing here needs a lock.
/// </summary>
internal sealed partial class JobDispatcher(
    WorkerChannel workers,
    ClusterWatch watch,
    WorkerDirectory directory,
    JobPlacing placing,
    JobQueueing queueing,
    AwayServers servers,
    EdgeListener listener,
    ModelUnloader unloader,
    Readiness readiness,
    PoisonRecords poison,
    EdgeSeals seals,
    DispatchMetrics metrics,
    IOptions<DispatchOptions> options,
    TimeProvider time,
    ILogger<JobDispatcher> logger) : BackgroundService, IJobStarter
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AcknowledgeEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookForWorkersEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ViewIsFresh = TimeSpan.FromSeconds(10);

    private readonly EventLoop _loop = new(time, e => LogUnexpected(logger, e));
    private readonly Dictionary<string, JobRun> _runs = [];
    private readonly EchoWatch _echo = new(options.Value.Owner);
    private readonly long _origin = time.GetTimestamp();
    private TimeSpan _acknowledgedAt;
    private volatile bool _busy;
    private volatile bool _isDeaf;

    /// <summary>
    /// What this edge sends does not come back to it, whether or not its connection stands: requests are refused. Found out while jobs run, and true until it hears itself again.
    /// </summary>
    public bool IsDeaf => _isDeaf;

    private TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>
    /// Takes a job on. Its output, failures included, is in the log; it is cancelled when <paramref name="clientLeft"/> is.
    /// </summary>
    public JobOutputLog Start(Job job, CancellationToken clientLeft)
    {
        if (job.UnloadOnly)
            return unloader.Start(job);
        var owner = new JobOwner(job, options.Value.Owner, NewNonce, Now);
        var run = new JobRun(owner, new JobOutputLog(), Now);
        Post(() => Begin(run));
        run.ClientLeft = clientLeft.Register(() => Post(() => Apply(run, owner.Cancel)));
        return run.Log;
    }

    /// <summary>Tells workers, by the last listing of them, that something waits in a queue whose jobs have their owner elsewhere.</summary>
    public void Nudge(string model, Band band, PlacementRule rule) => Post(() => NudgeWorkers(model, band, rule));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        listener.Heard += message =>
        {
            // Here rather than on the loop, which all jobs share.
            WorkerMessage opened = seals.Open(message);
            Post(() => Hear(opened));
        };
        listener.Echoed += echo => Post(() => _echo.Heard(echo.Number, Now));
        watch.Listed += views => Post(() =>
        {
            directory.Update(views, Now);
            metrics.SetWorkers(views);
            placing.ReportSlots(Now);
        });
        await _loop.RunAsync(TickEvery, OnTimer, stoppingToken);
        FailAll();
    }

    private static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    private void Post(Action happening) => _loop.Post(happening);

    private void OnTimer()
    {
        if (_busy)
            Post(Tick);
        // What workers said last holds for a while, and nobody may say anything after it.
        else if (metrics.HasSlotsUsed)
            Post(() => placing.ReportSlots(Now));
    }

    private void Begin(JobRun run)
    {
        if (!_busy)
            _echo.Begin(Now);
        run.EchoesBefore = _echo.Count;
        _runs.Add(run.Job.Id, run);
        _busy = true;
        queueing.Began(run);
        When(readiness.WaitAsync(run.Job.RequestId), unready => Start(run, unready));
    }

    private void Start(JobRun run, JobError? unready)
    {
        // Its client may have left in the meantime.
        if (run.Owner.HasEnded)
            return;
        if (unready is not null)
            Apply(run, () => run.Owner.Fail(unready));
        else
            Apply(run, queueing.MustWait(run) ? run.Owner.StartQueued : run.Owner.Start);
    }

    private void Hear(WorkerMessage message)
    {
        directory.Heard(message, Now);
        watch.Heard(message);
        placing.ReportSlots(Now);
        foreach (GrantAnswer answer in message.Answers)
            Tell(message.WorkerId, answer.JobId, answer.Accepted ? answer.Nonce : null, owner => owner.Answered(message.WorkerId, answer.Nonce, answer.Accepted, Now));
        foreach (AttemptOutput output in message.Outputs)
            Tell(message.WorkerId, output.JobId, output.Nonce, owner => owner.Received(message.WorkerId, output.Nonce, output.Chunk, Now));
        foreach (LiveAttempt alive in message.Alive)
            Tell(message.WorkerId, alive.JobId, alive.Nonce, owner => owner.Alive(message.WorkerId, alive.Nonce, alive.Steps, Now));
        foreach (Claim claim in message.Claims)
            HearClaim(message.WorkerId, claim);
    }

    /// <param name="running">What runs at the worker by its word, and is to stop where nobody owns it; null: nothing.</param>
    private void Tell(string workerId, string jobId, string? running, Action<JobOwner> say)
    {
        if (_runs.TryGetValue(jobId, out JobRun? run))
            Apply(run, () => say(run.Owner));
        else if (running is not null)
            Send(workers.StopAsync(workerId, jobId, running));
    }

    private void HearClaim(string workerId, Claim claim)
    {
        if (!_runs.TryGetValue(claim.JobId, out JobRun? run))
        {
            Send(queueing.DeleteAsync(claim));
            Send(workers.DenyAsync(workerId, claim.JobId));
        }
        else if (placing.MayHave(workerId, run, Now))
        {
            Apply(run, () => run.Owner.Claimed(workerId, claim.MessageId, claim.PopReceipt, Now));
        }
        else
        {
            Send(queueing.PutBackAsync(workerId, claim));
        }
    }

    private void Tick()
    {
        TimeSpan now = Now;
        if (_echo.Send(now) is { } number)
            Send(workers.EchoAsync(number));
        _isDeaf = _echo.IsDeafFor(Readiness.ConnectsWithin);
        if (!listener.IsConnected || _isDeaf)
            FailUnheard(now);
        TimeSpan? silenceTimeout = listener.IsConnected && _echo.IsHearing(now) ? _echo.SilenceTimeout : null;
        foreach (JobRun run in _runs.Values.ToList())
            Apply(run, servers.Look(run, now) is { } away ? () => run.Owner.Fail(away) : () => run.Owner.Tick(now, silenceTimeout));
        if (now - _acknowledgedAt >= AcknowledgeEvery)
        {
            _acknowledgedAt = now;
            AcknowledgeAll();
        }
        int waiting = _runs.Values.Count(run => run.Owner.IsWaiting);
        if (_runs.Count > 0)
            watch.RefreshInBackground(WaitsForAWorker() ? LookForWorkersEvery : ViewIsFresh);
        metrics.SetJobs(_runs.Count - waiting, waiting);
        placing.ReportSlots(now);
        PutNext();
        PushLate(now);
        // Deaf, it goes on sending to itself: whoever is not ready may be given no request that would find out.
        _busy = _runs.Count > 0 || _isDeaf;
    }

    /// <summary>
    /// What has come when SignalR was gone already, and nobody knew it yet, is refused as what comes after it. Who was there before it is waited for.
    /// A connection may stand and nothing be sent to it, such as with a key that is good no more: then, too, no worker can be asked.
    /// </summary>
    private void FailUnheard(TimeSpan now)
    {
        foreach (JobRun run in _runs.Values
            .Where(run => !run.Owner.HasBeenAccepted && run.EchoesBefore == _echo.Count && now - run.StartedAt >= Readiness.ConnectsWithin)
            .ToList())
            Apply(run, () => run.Owner.Fail(Readiness.Unreachable));
    }

    /// <summary>Workers cannot see in the queue what storage does not take: it gets the slots that become free, first come, first served.</summary>
    private void PushLate(TimeSpan now)
    {
        foreach (JobRun run in _runs.Values.Where(run => JobQueueing.IsLate(run, now)).OrderBy(run => run.StartedAt).ToList())
        {
            if (placing.Choose(run, now) is { } workerId)
                Apply(run, () => run.Owner.Placed(workerId, now));
        }
    }

    private bool WaitsForAWorker() => _runs.Values.Any(run => run.Owner.IsWaiting && placing.HasNobodyFor(run));

    private void AcknowledgeAll()
    {
        foreach (var group in _runs.Values
            .Where(run => run.Owner.Attempt is not null)
            .GroupBy(run => run.Owner.Attempt!.WorkerId, run => run.Owner.Acknowledgement!))
            Send(workers.AcknowledgeAsync(group.Key, [.. group]));
    }

    /// <summary>Lets a job's owner decide, and does what it decided.</summary>
    private void Apply(JobRun run, Action decide)
    {
        Attempt? before = run.Owner.Attempt;
        decide();
        IReadOnlyList<OwnerEffect> effects = run.Owner.TakeEffects();
        placing.Count(before, run.Owner.Attempt, Now);
        foreach (OwnerEffect effect in effects)
            Execute(run, effect);
        queueing.Follow(run);
        if (run.Owner.HasEnded)
            Release(run);
        PutNext();
    }

    private void Release(JobRun run)
    {
        if (!_runs.Remove(run.Job.Id))
            return;
        queueing.Ended(run);
        run.ClientLeft.Dispose();
        Send(workers.WithdrawPayloadAsync(run));
        seals.Forget(run.Job.Id);
    }

    private void Execute(JobRun run, OwnerEffect effect)
    {
        switch (effect)
        {
            case OwnerEffect.Emit(var output):
                Emit(run, output);
                break;
            case OwnerEffect.Place(var excluded):
                string? workerId = placing.Choose(run.Job, excluded, Now);
                Apply(run, () => run.Owner.Placed(workerId, Now));
                break;
            case OwnerEffect.Prepare(var attempt, var resume):
                When(workers.PrepareAsync(run, attempt, resume, run.Remaining(Now)), prepared =>
                {
                    run.Grant = prepared.Grant;
                    Apply(run, () => prepared.Tell(run.Owner, attempt.Nonce, Now));
                });
                break;
            case OwnerEffect.Grant:
                Send(workers.GrantAsync(run.Grant!, run.Remaining(Now)));
                break;
            case OwnerEffect.Enqueue:
                if (queueing.Add(run) is { } refusal)
                    Apply(run, () => run.Owner.EnqueueFailed(refusal));
                break;
            case OwnerEffect.DeleteMessage(var messageId, var popReceipt):
                Send(queueing.DeleteAsync(run.Job, messageId, popReceipt));
                break;
            case OwnerEffect.Nudge:
                NudgeWorkers(run.Job.Model, run.Job.Band, run.Job.Placement.Rule);
                break;
            case OwnerEffect.Deny(var id):
                Send(workers.DenyAsync(id, run.Job.Id));
                break;
            case OwnerEffect.Stop(var id, var nonce):
                Send(workers.StopAsync(id, run.Job.Id, nonce));
                break;
            case OwnerEffect.Acknowledge(var id, var ack):
                Send(workers.AcknowledgeAsync(id, [ack]));
                break;
            case OwnerEffect.Suspect(var id):
                directory.Suspect(id, Now);
                LogSuspected(id, run.Job.RequestId);
                break;
            case OwnerEffect.AttemptFailed(var attempt):
                metrics.Failed(attempt.Kind);
                LogAttemptFailed(
                    attempt.Kind == AttemptFailure.HandedBack ? LogLevel.Information : LogLevel.Warning, attempt.WorkerId, run.Job.RequestId, attempt.Number, attempt.To, attempt.Reason);
                break;
            case OwnerEffect.SetAside setAside:
                metrics.SetAside();
                LogSetAside(run.Job.RequestId, run.Job.Id, setAside.Error.Message);
                Send(poison.KeepAsync(run.Job, setAside, run.StartedAt, Now));
                break;
        }
    }

    private void NudgeWorkers(string model, Band band, PlacementRule rule)
    {
        foreach (Task nudge in placing.Nudge(model, band, rule, Now))
            Send(nudge);
    }

    private void Emit(JobRun run, JobOutput output)
    {
        if (output is JobOutput.Accepted)
        {
            run.AcceptedAt = Now;
            metrics.Accepted(Now - run.StartedAt);
            run.TraceWait(time.GetUtcNow(), Now);
        }
        else if (output is JobOutput.Finished)
        {
            queueing.Answered(run.Job.Model, Now - run.AcceptedAt);
        }
        run.Log.Append(output);
    }

    private void PutNext()
    {
        foreach (JobRun next in queueing.TakeNext(Now))
            Send(PutAsync(next));
    }

    private async Task PutAsync(JobRun run)
    {
        QueuePut put = await queueing.PutAsync(run, Now);
        Post(() =>
        {
            if (queueing.Settle(run, put, Now) is { } tell)
                Apply(run, tell);
        });
    }

    /// <summary>Goes on with what comes of it: at once where it is there, or else on the loop when it is.</summary>
    private void When<T>(Task<T> task, Action<T> then)
    {
        if (task.IsCompletedSuccessfully)
            then(task.Result);
        else
            Send(PostAsync());

        async Task PostAsync()
        {
            T result = await task;
            Post(() => then(result));
        }
    }

    /// <summary>Sees something off: its failure is logged, and made good by the owner's repetitions.</summary>
    private async void Send(Task sending)
    {
        try
        {
            await sending;
        }
        catch (Exception e)
        {
            LogSendFailed(e);
        }
    }

    private void FailAll()
    {
        foreach (JobRun run in _runs.Values.ToList())
            Apply(run, () => run.Owner.Fail(new JobError(JobErrorKind.Unavailable, "the server is shutting down")));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure in the dispatcher")]
    private static partial void LogUnexpected(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} did not answer for request {RequestId}")]
    private partial void LogSuspected(string worker, string requestId);

    [LoggerMessage(Message = "Worker {Worker} did not end request {RequestId}, attempt {Number}, of which {Tokens} tokens are there: {Reason}")]
    private partial void LogAttemptFailed(LogLevel level, string worker, string requestId, int number, int tokens, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId}: job {Job} is set aside: {Reason}")]
    private partial void LogSetAside(string requestId, string job, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message was not sent")]
    private partial void LogSendFailed(Exception exception);
}

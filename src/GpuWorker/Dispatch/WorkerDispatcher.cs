using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Jobs;
using OllamaMax.SignalR;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>
/// What the worker has promised and to whom. One loop reads everything that edges say, that the queues hold and that jobs come to,
/// so that nothing here needs a lock.
/// </summary>
internal sealed partial class WorkerDispatcher(
    SlotGate slots,
    ModelHost models,
    Capabilities capabilities,
    AttemptRunner runner,
    SignalRSender sender,
    TimeProvider time,
    ILoggerFactory loggers)
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Without a word from an edge for this long its client is gone as well.</summary>
    private static readonly TimeSpan EdgeIsGoneAfter = TimeSpan.FromSeconds(10);

    private readonly Channel<Action> _events = Channel.CreateUnbounded<Action>(new() { SingleReader = true });
    private readonly Dictionary<string, RunningAttempt> _attempts = [];
    private readonly Dictionary<string, PendingClaim> _claims = [];
    private readonly Dictionary<string, EdgeOutbox> _outboxes = [];
    private readonly ILogger _logger = loggers.CreateLogger<WorkerDispatcher>();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _draining;

    /// <summary>A slot has become free. Called on the loop.</summary>
    public event Action? SlotFreed;

    /// <summary>What runs is to be handed back: the worker leaves. Called on the loop.</summary>
    public event Action? HandingBack;

    public bool IsDraining => _draining;

    public void Granted(GrantMessage grant) => Post(() => TakeGrant(grant));

    public void Denied(DenyMessage deny) => Post(() => DropClaim(deny.JobId));

    public void Stopped(StopMessage stop) => Post(() => StopAttempt(stop.Nonce));

    public void Acknowledged(AckMessage message) => Post(() => Acknowledge(message));

    /// <summary>A message was taken from a queue; a slot is held for it already.</summary>
    public void Claimed(QueuedJob job, Claim claim) => Post(() => AskFor(job, claim));

    /// <summary>A slot is free again that was held for a job which no edge owns.</summary>
    public void Freed() => Post(Free);

    public async Task RunAsync(CancellationToken stopping)
    {
        Task ticking = TickAsync(stopping);
        try
        {
            await foreach (Action happening in _events.Reader.ReadAllAsync(stopping))
                Handle(happening);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        await ticking;
        foreach (EdgeOutbox outbox in _outboxes.Values)
            await outbox.DisposeAsync();
    }

    /// <summary>
    /// Takes nothing new and finishes what runs; what is not finished after <paramref name="patience"/> is handed back to its owner,
    /// which has another worker go on from there.
    /// </summary>
    public async Task DrainAsync(TimeSpan patience, TimeSpan handingBack)
    {
        _draining = true;
        Post(CheckDrained);
        if (await IsDrainedWithinAsync(patience))
            return;
        Post(HandBackAll);
        if (!await IsDrainedWithinAsync(handingBack))
            LogNotDrained(slots.Used);
    }

    private async Task<bool> IsDrainedWithinAsync(TimeSpan patience)
    {
        if (patience <= TimeSpan.Zero)
            return _drained.Task.IsCompleted;
        try
        {
            await _drained.Task.WaitAsync(patience, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Post(Action happening) => _events.Writer.TryWrite(happening);

    private void Handle(Action happening)
    {
        try
        {
            happening();
        }
        catch (Exception e)
        {
            // One job's surprise must not end the loop that all others live from.
            LogUnexpected(e);
        }
    }

    private async Task TickAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TickEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                Post(Tick);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private void TakeGrant(GrantMessage grant)
    {
        EdgeOutbox outbox = Outbox(grant.Reply);
        if (_attempts.ContainsKey(grant.Attempt.Nonce))
        {
            // The grant came twice, as the answer to it was lost or late.
            outbox.Answer(new GrantAnswer(grant.JobId, grant.Attempt.Nonce, Accepted: true));
            return;
        }
        bool holdsSlot = _claims.Remove(grant.JobId);
        if (Refusal(grant, holdsSlot) is { } reason)
        {
            if (holdsSlot)
                Free();
            outbox.Answer(new GrantAnswer(grant.JobId, grant.Attempt.Nonce, Accepted: false, reason));
            return;
        }
        var attempt = new RunningAttempt(grant, outbox, time.Elapsed());
        _attempts.Add(attempt.Nonce, attempt);
        outbox.Add(attempt);
        outbox.Answer(new GrantAnswer(grant.JobId, grant.Attempt.Nonce, Accepted: true));
        _ = RunAsync(grant, attempt);
    }

    private string? Refusal(GrantMessage grant, bool holdsSlot)
    {
        if (!ProtocolVersion.IsCompatible(grant.Version))
            return ProtocolVersion.UpgradeMessage(grant.Version);
        if (grant.Attempt.WorkerId != capabilities.WorkerId)
            return $"the grant is for worker {grant.Attempt.WorkerId}";
        if (_draining)
            return "the worker is draining";
        return holdsSlot || slots.TryTake() ? null : "no free slot";
    }

    private async Task RunAsync(GrantMessage grant, RunningAttempt attempt)
    {
        AttemptEnd end = await runner.RunAsync(grant, attempt);
        Post(() => EndAttempt(attempt, end));
    }

    private void EndAttempt(RunningAttempt attempt, AttemptEnd end)
    {
        attempt.HasEnded = true;
        // First the slot, then the end: who hears of the end hears of the free slot too.
        Free();
        attempt.Output.Ended(end);
        ForgetIfDone(attempt);
    }

    private void StopAttempt(string nonce)
    {
        if (!_attempts.TryGetValue(nonce, out RunningAttempt? attempt))
            return;
        attempt.Output.Acknowledge(new Ack(nonce, 0, Ended: true), time.Elapsed());
        attempt.Cancel();
        ForgetIfDone(attempt);
    }

    private void Acknowledge(AckMessage message)
    {
        foreach (Ack ack in message.Jobs)
        {
            if (!_attempts.TryGetValue(ack.Nonce, out RunningAttempt? attempt))
                continue;
            attempt.AcknowledgedAt = time.Elapsed();
            attempt.Output.Acknowledge(ack, time.Elapsed());
            ForgetIfDone(attempt);
        }
    }

    private void ForgetIfDone(RunningAttempt attempt)
    {
        if (!attempt.HasEnded || !attempt.Output.IsDone || !_attempts.Remove(attempt.Nonce))
            return;
        attempt.Outbox?.Remove(attempt);
        attempt.Dispose();
        CheckDrained();
    }

    private void AskFor(QueuedJob job, Claim claim)
    {
        ReplyCapability reply = job.Reply ?? throw new InvalidOperationException($"job {job.JobId} has no edge to ask");
        if (_draining || !_claims.TryAdd(job.JobId, new PendingClaim(job, claim, Outbox(reply), time.Elapsed())))
        {
            // Held already, or not to be taken any more: the message comes back to the queue by itself.
            Free();
            return;
        }
        _claims[job.JobId].Outbox.Claim(claim);
    }

    private void DropClaim(string jobId)
    {
        if (_claims.Remove(jobId))
            Free();
    }

    private void Free()
    {
        slots.Release();
        CheckDrained();
        SlotFreed?.Invoke();
    }

    private void Tick()
    {
        TimeSpan now = time.Elapsed();
        foreach (PendingClaim claim in _claims.Values.Where(claim => now - claim.AskedAt >= PendingClaim.RepeatAfter).ToList())
            AskAgain(claim, now);
        foreach (RunningAttempt attempt in _attempts.Values.ToList())
        {
            attempt.Output.Tick(now);
            if (now - attempt.AcknowledgedAt >= EdgeIsGoneAfter)
            {
                LogEdgeGone(attempt.JobId);
                StopAttempt(attempt.Nonce);
            }
        }
        foreach (var (key, outbox) in _outboxes.ToList())
            TickOutbox(key, outbox);
        CheckDrained();
    }

    private void AskAgain(PendingClaim claim, TimeSpan now)
    {
        if (claim.Tries >= PendingClaim.MaxTries)
        {
            DropClaim(claim.Job.JobId);
            return;
        }
        claim.Tries++;
        claim.AskedAt = now;
        claim.Outbox.Claim(claim.Claim);
    }

    private void TickOutbox(string key, EdgeOutbox outbox)
    {
        outbox.Beat();
        if (!outbox.IsIdle || outbox.Reply.ExpiresAt > time.GetUtcNow() || _claims.Values.Any(claim => claim.Outbox == outbox))
            return;
        _outboxes.Remove(key);
        _ = outbox.DisposeAsync().AsTask();
    }

    private EdgeOutbox Outbox(ReplyCapability reply)
    {
        if (_outboxes.TryGetValue(reply.Url, out EdgeOutbox? outbox))
            outbox.Renew(reply);
        else
            _outboxes[reply.Url] = outbox = new EdgeOutbox(reply, sender, Counters, time, loggers.CreateLogger<EdgeOutbox>());
        return outbox;
    }

    private WorkerMessage Counters() => new()
    {
        Version = ProtocolVersion.Current,
        WorkerId = capabilities.WorkerId,
        Steps = models.Steps,
        SlotsUsed = slots.Used,
        SlotsTotal = slots.Total,
    };

    private void CheckDrained()
    {
        if (_draining && _attempts.Count == 0 && slots.Used == 0)
            _drained.TrySetResult();
    }

    private void HandBackAll()
    {
        foreach (RunningAttempt attempt in _attempts.Values.ToList())
            attempt.Cancel(handBack: true);
        HandingBack?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure in the worker's dispatcher")]
    private partial void LogUnexpected(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The edge of job {Job} is gone; the job is stopped")]
    private partial void LogEdgeGone(string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} slots were still in use when the worker ended")]
    private partial void LogNotDrained(int count);
}

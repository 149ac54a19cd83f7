using OllamaMax.Jobs.Records;
using OllamaMax.Streaming;

namespace OllamaMax.Jobs.Owning;

/// <summary>
/// Decides about one interactive job, as its edge: who tries it, whose output counts, when another one takes over, when it is over.
/// A state machine without clock, chance or I/O: events and the time come in, effects go out (<see cref="TakeEffects"/>).
/// Not safe for concurrent use; one reader loop drives it.
/// </summary>
public sealed class JobOwner
{
    private readonly Job _job;
    private readonly OwnerOptions _options;
    private readonly OwnedAnswer _answer;
    private readonly JobTries _tries;
    private readonly NudgeSchedule _nudges;
    private readonly AttemptHistory _history;
    private readonly AttemptPulse _pulse;
    private readonly TimeSpan _startedAt;
    private List<OwnerEffect> _effects = [];

    private OwnerPhase _phase = OwnerPhase.Placing;
    private Attempt? _attempt;
    private bool _granting;
    private TimeSpan _offeredAt;
    private TimeSpan _grantSentAt;
    private TimeSpan _gapAskedAt = TimeSpan.MinValue;
    private (string MessageId, string PopReceipt)? _message;

    /// <param name="now">The moment it was taken on, on the clock of all later calls (any origin).</param>
    /// <param name="newNonce">Source of unguessable nonces.</param>
    public JobOwner(Job job, OwnerOptions options, Func<string> newNonce, TimeSpan now)
    {
        (_job, _options, _startedAt) = (job, options, now);
        _answer = new OwnedAnswer(job, now);
        _tries = new JobTries(options, newNonce);
        _nudges = new NudgeSchedule(options);
        _history = new AttemptHistory(options.Poison);
        _pulse = new AttemptPulse(options);
    }

    public Job Job => _job;

    public bool HasEnded => _phase == OwnerPhase.Ended;

    /// <summary>Some worker has begun it.</summary>
    public bool HasBeenAccepted { get; private set; }

    /// <summary>Waits in the model's queue, or is about to.</summary>
    public bool IsWaiting => _phase is OwnerPhase.Queueing or OwnerPhase.Queued;

    /// <summary>Its message is not known to be in the queue yet: while storage keeps that waiting, a slot that becomes free is as good (<see cref="Placed"/>).</summary>
    public bool IsQueueing => _phase == OwnerPhase.Queueing;

    /// <summary>How often it has gone to the queue. The message of the last time counts: an earlier one may have been claimed and deleted meanwhile.</summary>
    public int Put { get; private set; }

    /// <summary>The attempt whose output counts; null while there is none, or its worker cannot know of it yet.</summary>
    public Attempt? Attempt => _phase == OwnerPhase.Preparing ? null : _attempt;

    /// <inheritdoc cref="AttemptHistory.Failures"/>
    public (IReadOnlySet<string> Workers, TimeSpan LastAt) Failures => _history.Failures;

    /// <inheritdoc cref="AttemptHistory.LastReason"/>
    public string? LastFailure => _history.LastReason;

    /// <summary>How far the answer is here without a gap, to acknowledge.</summary>
    public Ack? Acknowledgement => Attempt is null ? null : new Ack(Attempt.Nonce, _answer.Next, _answer.HasGap);

    /// <summary>What is to be done since the last call, in order.</summary>
    public IReadOnlyList<OwnerEffect> TakeEffects()
    {
        if (_effects.Count == 0)
            return [];
        List<OwnerEffect> taken = _effects;
        _effects = [];
        return taken;
    }

    public void Start() => Place();

    /// <summary>Skips the push: others wait already, and this one joins them.</summary>
    public void StartQueued() => Enqueue();

    /// <summary>The answer to <see cref="OwnerEffect.Place"/>, or a slot that has become free while <see cref="IsQueueing"/>.</summary>
    /// <param name="workerId">Null: nobody has a free slot, and it goes into the queue.</param>
    /// <param name="now">The time.</param>
    public void Placed(string? workerId, TimeSpan now)
    {
        if (_phase is not (OwnerPhase.Placing or OwnerPhase.Queueing))
            return;
        if (workerId is not null)
            Prepare(workerId);
        else if (_phase == OwnerPhase.Placing)
            Enqueue();
    }

    /// <summary>The answer to <see cref="OwnerEffect.Prepare"/>: the grant can be sent.</summary>
    public void Prepared(string nonce, TimeSpan now)
    {
        if (!IsPreparing(nonce))
            return;
        _phase = OwnerPhase.Offered;
        _offeredAt = now;
        SendGrant(now);
    }

    /// <summary>The same: storage, which it needs, cannot be reached. Nothing is said of the worker by that.</summary>
    public void NotPrepared(string nonce, JobError error)
    {
        if (!IsPreparing(nonce))
            return;
        if (!HasBeenAccepted)
        {
            Fail(error);
            return;
        }
        // A client that has seen text waits for storage as it waits for a worker.
        (_attempt, _granting) = (null, false);
        Enqueue();
    }

    /// <summary>The same: this worker may be granted nothing, others may.</summary>
    public void NotEntitled(string nonce)
    {
        if (IsPreparing(nonce))
            GiveUpAttempt("its worker is not enrolled any more", stop: false);
    }

    /// <param name="put">The <see cref="Put"/> that it was.</param>
    public void Enqueued(int put, string messageId, string popReceipt, TimeSpan now)
    {
        if (_phase != OwnerPhase.Queueing || put != Put)
        {
            // It ended, or was claimed or pushed, before the put was answered. Where it was claimed the receipt is stale, and that is fine.
            Do(new OwnerEffect.DeleteMessage(messageId, popReceipt));
            return;
        }
        (_phase, _message) = (OwnerPhase.Queued, (messageId, popReceipt));
        _nudges.Start(now);
        Do(new OwnerEffect.Nudge());
    }

    public void EnqueueFailed(JobError error)
    {
        if (_phase == OwnerPhase.Queueing)
            Fail(error);
    }

    public void Answered(string workerId, string nonce, bool accepted, TimeSpan now)
    {
        if (_attempt?.Nonce != nonce)
        {
            if (accepted)
                Do(new OwnerEffect.Stop(workerId, nonce));
        }
        else if (_phase == OwnerPhase.Offered)
        {
            if (accepted)
                Accept(now);
            else
                GiveUpAttempt("it was refused");
        }
    }

    /// <summary>A worker holds a message of this job and asks to run it.</summary>
    public void Claimed(string workerId, string messageId, string popReceipt, TimeSpan now)
    {
        if (IsWaiting)
        {
            _message = null;
            Do(new OwnerEffect.DeleteMessage(messageId, popReceipt));
            Prepare(workerId);
            _granting = true;
            return;
        }
        // The worker's claim is repeated while it has no answer: the grant may have been lost, or is not ready yet.
        if (_granting && _attempt?.WorkerId == workerId && _phase is OwnerPhase.Preparing or OwnerPhase.Offered)
        {
            if (_phase == OwnerPhase.Offered)
                SendGrant(now);
            return;
        }
        // Denied even if it runs the job already: then this is a second message of it, and a slot is held for nothing.
        Do(new OwnerEffect.DeleteMessage(messageId, popReceipt));
        Do(new OwnerEffect.Deny(workerId));
    }

    /// <summary>The worker says that the attempt is alive there, with or without output.</summary>
    /// <param name="steps">A counter that stands still when the attempt's engine hangs; null: there is none at the moment.</param>
    public void Alive(string workerId, string nonce, long? steps, TimeSpan now)
    {
        Heard(workerId, nonce, now);
        if (_attempt?.Nonce == nonce)
            _pulse.Stepped(steps, now);
    }

    private void Heard(string workerId, string nonce, TimeSpan now)
    {
        if (_attempt?.Nonce != nonce)
        {
            Do(new OwnerEffect.Stop(workerId, nonce));
            return;
        }
        _pulse.Heard(now);
        if (_phase == OwnerPhase.Offered)
            Accept(now);
    }

    public void Received(string workerId, string nonce, Chunk chunk, TimeSpan now)
    {
        Heard(workerId, nonce, now);
        if (_attempt?.Nonce != nonce)
            return;
        if (!chunk.IsWellFormed)
        {
            FailAttempt(AttemptFailure.Failed, $"worker {workerId} sent a malformed chunk", now);
            return;
        }
        _pulse.Stepped(now);
        foreach (Chunk fresh in _answer.Add(chunk))
        {
            Use(fresh, now);
            if (_attempt?.Nonce != nonce)
                return;
        }
        AskForGap(now);
    }

    /// <param name="now">The time.</param>
    /// <param name="silenceTimeout">A worker that was silent for this long has lost its attempt; null while the edge does not hear itself, and silence proves nothing.</param>
    public void Tick(TimeSpan now, TimeSpan? silenceTimeout)
    {
        if (_phase == OwnerPhase.Ended)
            return;
        if (now - _startedAt >= _job.Deadline)
        {
            Fail(new JobError(JobErrorKind.DeadlineExceeded, $"no answer within {_job.Deadline.TotalSeconds:0} seconds"));
            return;
        }
        if (silenceTimeout is null)
        {
            _pulse.Excuse(now);
            _offeredAt = now;
        }
        if (_phase == OwnerPhase.Offered)
            TickOffered(now);
        else if (_phase == OwnerPhase.Running)
            TickRunning(now, silenceTimeout ?? _options.SilenceTimeout);
        else if (_phase == OwnerPhase.Queued && _nudges.IsDue(now))
            Do(new OwnerEffect.Nudge());
    }

    /// <summary>Nobody wants the answer any more.</summary>
    public void Cancel() => Fail(new JobError(JobErrorKind.Cancelled, "the request was cancelled"));

    /// <summary>Ends the job without an answer, whatever its state.</summary>
    public void Fail(JobError error)
    {
        if (_phase == OwnerPhase.Ended)
            return;
        if (Attempt is { } attempt)
            Do(new OwnerEffect.Stop(attempt.WorkerId, attempt.Nonce));
        End(new JobOutput.Failed(error));
    }

    private void TickOffered(TimeSpan now)
    {
        if (now - _offeredAt >= _options.GrantTimeout)
        {
            Do(new OwnerEffect.Suspect(_attempt!.WorkerId));
            GiveUpAttempt("it was not answered");
        }
        else if (now - _grantSentAt >= _options.GrantResend)
        {
            SendGrant(now);
        }
    }

    private void TickRunning(TimeSpan now, TimeSpan silenceTimeout)
    {
        if (_pulse.WhyLost(_attempt!.WorkerId, silenceTimeout, now) is { } why)
            Lose(why, now);
        else
            AskForGap(now);
    }

    private void Use(Chunk fresh, TimeSpan now)
    {
        IEnumerable<JobOutput> said = _answer.Read(fresh, now);
        if (_answer.StoppedBy is not null)
        {
            Do(new OwnerEffect.Stop(_attempt!.WorkerId, _attempt.Nonce));
            Emit(said);
            Finish(FinishReason.Stop, fresh.End, now);
            return;
        }
        if (fresh.End is not null)
            Do(new OwnerEffect.Acknowledge(_attempt!.WorkerId, new Ack(_attempt.Nonce, _answer.Next, Ended: true)));
        Emit(said);
        if (fresh.End is not null)
            UseEnd(fresh.End, now);
    }

    private void UseEnd(AttemptEnd end, TimeSpan now)
    {
        switch (end.Reason)
        {
            case EndReason.Stop or EndReason.Length or EndReason.Loaded:
                Finish(end.Finish, end, now);
                break;
            case EndReason.Invalid:
                End(new JobOutput.Failed(new JobError(JobErrorKind.Invalid, end.Error ?? "the request cannot be run") { Excess = end.Excess }));
                break;
            default:
                // Handed back costs nothing; a failure, or an end that nobody asked for, counts.
                _answer.Interrupted(end);
                string why = end.Error ?? (end.Reason == EndReason.HandedBack ? $"worker {_attempt!.WorkerId} left" : "the worker ended it");
                FailAttempt(AttemptHistory.KindOf(end), why, now, stop: false);
                break;
        }
    }

    private void Accept(TimeSpan now)
    {
        _phase = OwnerPhase.Running;
        _pulse.Begin(now);
        if (HasBeenAccepted)
            return;
        HasBeenAccepted = true;
        Do(new OwnerEffect.Emit(new JobOutput.Accepted(_attempt!.WorkerId)));
    }

    /// <summary>The attempt is over and the job is not: another worker is to go on, unless that cannot be.</summary>
    /// <param name="why">For people.</param>
    /// <param name="stop">Whether the worker does not know yet.</param>
    private void GiveUpAttempt(string why, bool stop = true)
    {
        Attempt attempt = _attempt!;
        if (stop)
            Do(new OwnerEffect.Stop(attempt.WorkerId, attempt.Nonce));
        _tries.Exclude(attempt.WorkerId);
        _attempt = null;
        _granting = false;
        _answer.DropAhead();
        if (_answer.IsContinuable)
            Place();
        else
            End(new JobOutput.Failed(JobError.Broken(why)));
    }

    /// <summary>The attempt had begun and did not come to the end: that is remembered, and when it was too often the job is set aside.</summary>
    private void FailAttempt(AttemptFailure kind, string why, TimeSpan now, bool stop = true)
    {
        Do(new OwnerEffect.AttemptFailed(_history.Add(_attempt!, kind, why, now, _answer.Next)));
        if (!_history.IsPoison)
        {
            GiveUpAttempt(why, stop);
            return;
        }
        if (stop)
            Do(new OwnerEffect.Stop(_attempt!.WorkerId, _attempt.Nonce));
        var error = new JobError(JobErrorKind.Failed, $"given up after {_tries.Count} attempts; the last: {why}");
        Do(new OwnerEffect.SetAside(error, _history.All));
        End(new JobOutput.Failed(error));
    }

    /// <summary>The worker has lost the attempt without saying so.</summary>
    private void Lose(string why, TimeSpan now)
    {
        Do(new OwnerEffect.Suspect(_attempt!.WorkerId));
        FailAttempt(AttemptFailure.Lost, why, now);
    }

    private void Place()
    {
        if (!_tries.MayPush)
        {
            Enqueue();
            return;
        }
        _phase = OwnerPhase.Placing;
        Do(new OwnerEffect.Place(_tries.Excluded));
    }

    private void Prepare(string workerId)
    {
        _attempt = _tries.Next(workerId);
        _history.Begin(_answer.Next);
        _phase = OwnerPhase.Preparing;
        Do(new OwnerEffect.Prepare(_attempt, [.. _answer.Tokens]));
    }

    private bool IsPreparing(string nonce) => _phase == OwnerPhase.Preparing && _attempt!.Nonce == nonce;

    private void SendGrant(TimeSpan now)
    {
        _grantSentAt = now;
        Do(new OwnerEffect.Grant(_attempt!));
    }

    private void Enqueue()
    {
        _phase = OwnerPhase.Queueing;
        Put++;
        Do(new OwnerEffect.Enqueue());
    }

    private void AskForGap(TimeSpan now)
    {
        if (!_answer.HasGap || (_gapAskedAt != TimeSpan.MinValue && now - _gapAskedAt < _options.GapAsk))
            return;
        _gapAskedAt = now;
        Do(new OwnerEffect.Acknowledge(_attempt!.WorkerId, new Ack(_attempt.Nonce, _answer.Next, Missing: true)));
    }

    private void Emit(IEnumerable<JobOutput> outputs) => _effects.AddRange(outputs.Select(output => new OwnerEffect.Emit(output)));

    private void Finish(FinishReason reason, AttemptEnd? end, TimeSpan now) =>
        End(new JobOutput.Finished(reason, _answer.Statistics(end, now, _tries.Count)) { StoppedBy = _answer.StoppedBy });

    private void End(JobOutput last)
    {
        if (_message is var (messageId, popReceipt))
            Do(new OwnerEffect.DeleteMessage(messageId, popReceipt));
        _message = null;
        _attempt = null;
        _phase = OwnerPhase.Ended;
        if (_answer.Rest() is { } rest)
            Do(new OwnerEffect.Emit(rest));
        Do(new OwnerEffect.Emit(last));
    }

    private void Do(OwnerEffect effect) => _effects.Add(effect);
}

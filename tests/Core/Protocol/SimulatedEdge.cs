using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Streaming;

namespace OllamaMax.Core.Tests.Protocol;

/// <summary>An edge's real owners and echo watch, driven as the dispatcher drives them.</summary>
internal sealed class SimulatedEdge(SimulatedCluster cluster, Random random, double slowGrants)
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>Of storage's answers to puts; every other one comes within a tick.</summary>
    private static readonly TimeSpan Slowest = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AcknowledgeEvery = TimeSpan.FromSeconds(1);
    private static readonly ReplyCapability Reply = new("edge", "token", DateTimeOffset.MaxValue);
    private static readonly OwnerOptions Options = new() { MaxFailures = 50, MaxLosses = 50 };

    private readonly Dictionary<string, JobOwner> _owners = [];
    private readonly Dictionary<string, Attempt> _granted = [];
    private readonly Dictionary<string, GrantMessage> _prepared = [];
    private readonly List<(TimeSpan At, Action<TimeSpan> Answer)> _puts = [];
    private readonly EchoWatch _echo = new(Options);
    private TimeSpan _tickedAt;
    private TimeSpan _acknowledgedAt;
    private int _nonces;

    /// <summary>Everything that the clients were told, by job.</summary>
    public Dictionary<Job, List<JobOutput>> Told { get; } = [];

    public void Begin(Job job, TimeSpan now)
    {
        if (_owners.Count == 0)
            _echo.Begin(now);
        Told.Add(job, []);
        // Nonces are unguessable: no two edges ever issue the same.
        _owners.Add(job.Id, new JobOwner(job, Options, () => $"{random.Next()}-{++_nonces}", now));
        Apply(job.Id, owner => owner.Start(), now);
    }

    public void Hear(WorkerMessage message, TimeSpan now)
    {
        foreach (GrantAnswer answer in message.Answers)
        {
            if (_owners.ContainsKey(answer.JobId))
                Apply(answer.JobId, owner => owner.Answered(message.WorkerId, answer.Nonce, answer.Accepted, now), now);
            else if (answer.Accepted)
                cluster.Tell(message.WorkerId, worker => worker.Stopped(answer.Nonce));
        }
        foreach (AttemptOutput output in message.Outputs)
        {
            if (_owners.ContainsKey(output.JobId))
                Apply(output.JobId, owner => owner.Received(message.WorkerId, output.Nonce, output.Chunk, now), now);
            else
                cluster.Tell(message.WorkerId, worker => worker.Stopped(output.Nonce));
        }
        foreach (LiveAttempt alive in message.Alive)
        {
            if (_owners.ContainsKey(alive.JobId))
                Apply(alive.JobId, owner => owner.Alive(message.WorkerId, alive.Nonce, alive.Steps, now), now);
            else
                cluster.Tell(message.WorkerId, worker => worker.Stopped(alive.Nonce));
        }
        foreach (Claim claim in message.Claims)
            HearClaim(message.WorkerId, claim, now);
    }

    public void Step(TimeSpan now)
    {
        if (now - _tickedAt < TickEvery)
            return;
        _tickedAt = now;
        if (_echo.Send(now) is { } number)
            cluster.TellEdge(this, arrived => _echo.Heard(number, arrived));
        AnswerPuts(now);
        TimeSpan? silence = _echo.IsHearing(now) ? _echo.SilenceTimeout : null;
        foreach (string id in _owners.Keys.ToList())
            Apply(id, owner => owner.Tick(now, silence), now);
        PushLate(now);
        if (now - _acknowledgedAt < AcknowledgeEvery)
            return;
        _acknowledgedAt = now;
        foreach (JobOwner owner in _owners.Values.Where(owner => owner.Attempt is not null))
            cluster.Tell(owner.Attempt!.WorkerId, Acknowledging(owner.Acknowledgement!));
    }

    private void AnswerPuts(TimeSpan now)
    {
        // What is put again in answer is answered by the next tick.
        var due = _puts.Where(put => put.At <= now).ToList();
        _puts.RemoveAll(put => put.At <= now);
        foreach (var (_, answer) in due)
            answer(now);
    }

    /// <summary>What storage has not answered for yet takes a free slot, now and then before its message is claimed.</summary>
    private void PushLate(TimeSpan now)
    {
        foreach (string id in _owners.Where(owner => owner.Value.IsQueueing).Select(owner => owner.Key).ToList())
        {
            if (random.NextDouble() < 0.3 && cluster.Choose(new HashSet<string>()) is { } chosen)
                Apply(id, owner => owner.Placed(chosen, now), now);
        }
    }

    private static Action<SimulatedWorker> Acknowledging(Ack ack) => worker => worker.Acknowledged(new AckMessage([ack]));

    private void HearClaim(string workerId, Claim claim, TimeSpan now)
    {
        if (_owners.ContainsKey(claim.JobId))
        {
            Apply(claim.JobId, owner => owner.Claimed(workerId, claim.MessageId, claim.PopReceipt, now), now);
            return;
        }
        cluster.Queue.Delete(claim.MessageId, claim.PopReceipt);
        cluster.Tell(workerId, worker => worker.Denied(claim.JobId));
    }

    private void Apply(string id, Action<JobOwner> decide, TimeSpan now)
    {
        if (!_owners.TryGetValue(id, out JobOwner? owner))
            return;
        Attempt? before = owner.Attempt;
        decide(owner);
        foreach (OwnerEffect effect in owner.TakeEffects())
        {
            Watch(owner, effect, before);
            Execute(owner, effect, now);
        }
        if (owner.HasEnded)
            _owners.Remove(id);
    }

    /// <summary>Notes what must never be, whatever the end looks like.</summary>
    /// <param name="owner">Who decided.</param>
    /// <param name="effect">What.</param>
    /// <param name="before">The attempt that counted when it was decided.</param>
    private void Watch(JobOwner owner, OwnerEffect effect, Attempt? before)
    {
        string id = owner.Job.Id;
        if (effect is OwnerEffect.Emit && Told[owner.Job].LastOrDefault() is JobOutput.Finished or JobOutput.Failed)
            cluster.Violations.Add($"{id}: something was given out after the end");
        switch (effect)
        {
            case OwnerEffect.Emit(JobOutput.Delta delta):
                if (SimulatedCluster.Tokens(delta.Text).Any(token => token.Attempt != before?.Number))
                    cluster.Violations.Add($"{id}: '{delta.Text}' was given out while attempt {before?.Number} counted");
                break;
            case OwnerEffect.Grant(var attempt):
                Attempt granted = _granted.GetValueOrDefault(id, attempt);
                if (attempt.Number < granted.Number || (attempt.Number == granted.Number && attempt != granted))
                    cluster.Violations.Add($"{id}: {attempt} was granted after {granted}");
                _granted[id] = attempt;
                break;
        }
    }

    /// <summary>As the dispatcher does it: an owner that is at its end already says what becomes of the message.</summary>
    private void Enqueued(JobOwner owner, int put, string messageId, string receipt, TimeSpan now)
    {
        if (_owners.ContainsKey(owner.Job.Id))
        {
            Apply(owner.Job.Id, one => one.Enqueued(put, messageId, receipt, now), now);
            return;
        }
        owner.Enqueued(put, messageId, receipt, now);
        foreach (OwnerEffect effect in owner.TakeEffects())
            Execute(owner, effect, now);
    }

    /// <summary>Mostly at once; now and then storage is slow, and now and then away, where that is not the job's end.</summary>
    private void Prepare(JobOwner owner, string nonce, TimeSpan now)
    {
        if (slowGrants > 0 && random.NextDouble() < slowGrants)
            _puts.Add((now + (Slowest * random.NextDouble()), answered => Apply(owner.Job.Id, one => Answer(one, answered), answered)));
        else
            Apply(owner.Job.Id, one => one.Prepared(nonce, now), now);

        void Answer(JobOwner one, TimeSpan answered)
        {
            if (one.HasBeenAccepted && random.NextDouble() < 0.3)
                one.NotPrepared(nonce, new JobError(JobErrorKind.Unavailable, "storage is away"));
            else
                one.Prepared(nonce, answered);
        }
    }

    private void Execute(JobOwner owner, OwnerEffect effect, TimeSpan now)
    {
        string id = owner.Job.Id;
        switch (effect)
        {
            case OwnerEffect.Emit(var output):
                Told[owner.Job].Add(output);
                break;
            case OwnerEffect.Place(var excluded):
                string? chosen = cluster.Choose(excluded);
                Apply(id, one => one.Placed(chosen, now), now);
                break;
            case OwnerEffect.Prepare(var attempt, var resume):
                _prepared[id] = new()
                {
                    Version = ProtocolVersion.Current,
                    JobId = id,
                    Attempt = attempt,
                    Job = owner.Job,
                    Remaining = owner.Job.Deadline,
                    Reply = Reply,
                    Resume = resume,
                };
                Prepare(owner, attempt.Nonce, now);
                break;
            case OwnerEffect.Grant(var attempt):
                GrantMessage grant = _prepared[id];
                cluster.Tell(attempt.WorkerId, worker => worker.Granted(grant));
                break;
            case OwnerEffect.Enqueue:
                int put = owner.Put;
                var (messageId, receipt) = cluster.Queue.Put(new QueuedJob(ProtocolVersion.Current, id, owner.Job.Model, owner.Job.Band, Reply), now);
                _puts.Add((now + (random.NextDouble() < 0.5 ? TimeSpan.Zero : Slowest * random.NextDouble()), answered => Enqueued(owner, put, messageId, receipt, answered)));
                break;
            case OwnerEffect.DeleteMessage(var message, var popReceipt):
                cluster.Queue.Delete(message, popReceipt);
                break;
            case OwnerEffect.Nudge:
                cluster.Nudge();
                break;
            case OwnerEffect.Deny(var worker):
                cluster.Tell(worker, one => one.Denied(id));
                break;
            case OwnerEffect.Stop(var worker, var nonce):
                cluster.Tell(worker, one => one.Stopped(nonce));
                break;
            case OwnerEffect.Acknowledge(var worker, var ack):
                cluster.Tell(worker, Acknowledging(ack));
                break;
        }
    }
}

using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Workers.Attempts;

/// <summary>
/// What a worker has promised and to whom: attempts it runs, claims it waits for, slots they hold. A state machine without clock, chance or I/O, the
/// counterpart of <see cref="Jobs.Owning.JobOwner"/>: events and the time come in, effects go out (<see cref="TakeEffects"/>).
/// Not safe for concurrent use; one reader loop drives it.
/// </summary>
/// <param name="workerId">Whose grants these are.</param>
/// <param name="slots">Shared with whoever takes messages from queues.</param>
/// <param name="newOutput">Makes the output of an attempt that begins.</param>
public sealed class WorkerLedger(Func<string> workerId, SlotGate slots, Func<GrantMessage, AttemptBuffer> newOutput)
{
    /// <summary>Without a word from an edge for this long its client is gone as well.</summary>
    public static readonly TimeSpan EdgeIsGoneAfter = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Entry> _attempts = [];
    private readonly Dictionary<string, PendingClaim> _claims = [];
    private List<WorkerEffect> _effects = [];

    /// <summary>Takes nothing new any more.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Nothing runs, nothing waits to be acknowledged, no slot is held.</summary>
    public bool IsEmpty => _attempts.Count == 0 && slots.Used == 0;

    /// <summary>What is to be done since the last call, in order.</summary>
    public IReadOnlyList<WorkerEffect> TakeEffects()
    {
        if (_effects.Count == 0)
            return [];
        List<WorkerEffect> taken = _effects;
        _effects = [];
        return taken;
    }

    /// <summary>Whether a claim waits for an answer of the owner at that URL.</summary>
    public bool IsAsking(string replyUrl) => _claims.Values.Any(claim => ReplyOf(claim.Job).Url == replyUrl);

    public void Granted(GrantMessage grant, TimeSpan now)
    {
        if (_attempts.ContainsKey(grant.Attempt.Nonce))
        {
            // The grant came twice, as the answer to it was lost or late.
            Answer(grant, refusal: null);
            return;
        }
        bool holdsSlot = _claims.Remove(grant.JobId);
        string? refusal = Refusal(grant, holdsSlot);
        if (refusal is null)
        {
            Entry entry = new(grant, newOutput(grant), now);
            _attempts.Add(entry.Nonce, entry);
            Answer(grant, refusal: null);
            Do(new WorkerEffect.Run(grant, entry.Output));
            return;
        }
        if (holdsSlot)
            Free();
        Answer(grant, refusal);
    }

    /// <summary>The owner refused a claim.</summary>
    public void Denied(string jobId)
    {
        if (_claims.Remove(jobId))
            Free();
    }

    /// <summary>Nobody listens to an attempt any more.</summary>
    public void Stopped(string nonce, TimeSpan now)
    {
        if (!_attempts.TryGetValue(nonce, out Entry? entry))
            return;
        entry.Output.Acknowledge(new Ack(nonce, 0, Ended: true), now);
        if (!entry.HasEnded)
            Do(new WorkerEffect.Cancel(nonce, HandBack: false));
        ForgetIfDone(entry);
    }

    public void Acknowledged(AckMessage message, TimeSpan now)
    {
        foreach (Ack ack in message.Jobs)
        {
            if (!_attempts.TryGetValue(ack.Nonce, out Entry? entry))
                continue;
            entry.AcknowledgedAt = now;
            entry.Output.Acknowledge(ack, now);
            ForgetIfDone(entry);
        }
    }

    /// <summary>A message was taken from a queue; a slot is held for it already.</summary>
    public void Took(QueuedJob job, Claim claim, TimeSpan now)
    {
        if (!IsDraining && _claims.TryAdd(job.JobId, new PendingClaim(job, claim, now)))
            Do(new WorkerEffect.Ask(ReplyOf(job), claim));
        else
            Free(); // Held already, or not to be taken any more: the message comes back to the queue by itself.
    }

    /// <summary>An attempt has ended here, whether or not its owner has everything.</summary>
    public void Ended(string nonce, AttemptEnd end)
    {
        if (!_attempts.TryGetValue(nonce, out Entry? entry) || entry.HasEnded)
            return;
        entry.HasEnded = true;
        // First the slot, then the end: who hears of the end hears of the free slot too.
        Free();
        entry.Output.Ended(end);
        // Its owner has stopped it and hears no end of it, so it hears of the slot by itself.
        if (entry.Output.IsDone)
            Do(new WorkerEffect.TellSlots(entry.Reply));
        ForgetIfDone(entry);
    }

    /// <summary>A slot is free again that was held for a job which no edge owns.</summary>
    public void Freed() => Free();

    public void Tick(TimeSpan now)
    {
        foreach (PendingClaim claim in _claims.Values.Where(claim => now - claim.AskedAt >= PendingClaim.RepeatAfter).ToList())
            AskAgain(claim, now);
        foreach (Entry entry in _attempts.Values.ToList())
        {
            entry.Output.Tick(now);
            if (now - entry.AcknowledgedAt < EdgeIsGoneAfter)
                continue;
            Do(new WorkerEffect.EdgeGone(entry.JobId));
            Stopped(entry.Nonce, now);
        }
    }

    /// <summary>From now on nothing new is taken; what runs goes on.</summary>
    public void Drain() => IsDraining = true;

    /// <summary>Ends what runs, for other workers to go on.</summary>
    public void HandBackAll()
    {
        foreach (Entry entry in _attempts.Values.Where(entry => !entry.HasEnded))
            Do(new WorkerEffect.Cancel(entry.Nonce, HandBack: true));
    }

    private static ReplyCapability ReplyOf(QueuedJob job) =>
        job.Reply ?? throw new InvalidOperationException($"job {job.JobId} has no edge to ask: its record owns it");

    private string? Refusal(GrantMessage grant, bool holdsSlot)
    {
        if (!ProtocolVersion.IsCompatible(grant.Version))
            return ProtocolVersion.UpgradeMessage(grant.Version);
        if (grant.Attempt.WorkerId != workerId())
            return $"the grant is for worker {grant.Attempt.WorkerId}";
        if (IsDraining)
            return "the worker is draining";
        return holdsSlot || slots.TryTake() ? null : "no free slot";
    }

    private void Answer(GrantMessage grant, string? refusal) =>
        Do(new WorkerEffect.Answer(grant.Reply, new GrantAnswer(grant.JobId, grant.Attempt.Nonce, refusal is null, refusal)));

    private void AskAgain(PendingClaim claim, TimeSpan now)
    {
        if (claim.Tries >= PendingClaim.MaxTries)
        {
            Denied(claim.Job.JobId);
            return;
        }
        claim.Tries++;
        claim.AskedAt = now;
        Do(new WorkerEffect.Ask(ReplyOf(claim.Job), claim.Claim));
    }

    private void ForgetIfDone(Entry entry)
    {
        if (entry.HasEnded && entry.Output.IsDone && _attempts.Remove(entry.Nonce))
            Do(new WorkerEffect.Forget(entry.Nonce));
    }

    private void Free()
    {
        slots.Release();
        Do(new WorkerEffect.SlotFreed());
    }

    private void Do(WorkerEffect effect) => _effects.Add(effect);

    private sealed class Entry(GrantMessage grant, AttemptBuffer output, TimeSpan now)
    {
        public string JobId => grant.JobId;

        public string Nonce => grant.Attempt.Nonce;

        public ReplyCapability Reply => grant.Reply;

        public AttemptBuffer Output => output;

        /// <summary>When the owner was last heard about it.</summary>
        public TimeSpan AcknowledgedAt { get; set; } = now;

        public bool HasEnded { get; set; }
    }
}

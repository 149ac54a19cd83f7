using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Streaming;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.Core.Tests.Protocol;

/// <summary>
/// A worker's real ledger, slots and output buffers, with an engine that writes token <c>index * 100 + attempt</c> as <c>"index:attempt "</c>:
/// what two attempts produce can be told apart.
/// </summary>
internal sealed class SimulatedWorker
{
    public const int Slots = 2;

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(240);

    private readonly Action<WorkerMessage> _send;
    private readonly SlotGate _slots = new(Slots);
    private readonly WorkerLedger _ledger;
    private readonly Dictionary<string, Running> _running = [];
    private readonly List<GrantAnswer> _answers = [];
    private readonly List<Claim> _claims = [];
    private TimeSpan _beatAt;
    private long _steps;

    public SimulatedWorker(string id, Action<WorkerMessage> send)
    {
        Id = id;
        _send = send;
        _ledger = new WorkerLedger(() => id, _slots, grant => new AttemptBuffer(grant.Resume.Count, _ => { }));
    }

    public string Id { get; }

    public int SlotsUsed => _slots.Used;

    /// <summary>It remembers no attempt, and holds no slot.</summary>
    public bool IsEmpty => _ledger.IsEmpty;

    /// <summary>It does nothing and hears nothing before this; what was sent to it waits.</summary>
    public TimeSpan HangsUntil { get; set; }

    private List<Action<TimeSpan>> Inbox { get; } = [];

    public void Granted(GrantMessage grant) => Inbox.Add(now => _ledger.Granted(grant, now));

    public void Denied(string jobId) => Inbox.Add(_ => _ledger.Denied(jobId));

    public void Stopped(string nonce) => Inbox.Add(now => _ledger.Stopped(nonce, now));

    public void Acknowledged(AckMessage acks) => Inbox.Add(now => _ledger.Acknowledged(acks, now));

    public void Step(TimeSpan now, SimulatedQueue queue, bool looksIntoQueue)
    {
        if (now < HangsUntil)
            return;
        foreach (Action<TimeSpan> happening in Inbox)
            happening(now);
        Inbox.Clear();
        Apply();
        if (looksIntoQueue && _slots.TryTake())
        {
            if (queue.Take(now) is var (job, claim))
                _ledger.Took(job, claim, now);
            else
                _slots.Release();
        }
        Decode(now);
        bool beats = now - _beatAt >= Beat;
        if (beats)
            _ledger.Tick(now);
        Apply();
        Speak(now, beats);
    }

    private void Apply()
    {
        foreach (WorkerEffect effect in _ledger.TakeEffects())
        {
            switch (effect)
            {
                case WorkerEffect.Answer(_, var answer):
                    _answers.Add(answer);
                    break;
                case WorkerEffect.Ask(_, var claim):
                    _claims.Add(claim);
                    break;
                case WorkerEffect.Run(var grant, var output):
                    _running.Add(grant.Attempt.Nonce, new Running(grant, output));
                    break;
                case WorkerEffect.Cancel(var nonce, _):
                    _running[nonce].IsCancelled = true;
                    break;
                case WorkerEffect.Forget(var nonce):
                    _running.Remove(nonce);
                    break;
            }
        }
    }

    private void Decode(TimeSpan now)
    {
        foreach (Running attempt in _running.Values.Where(attempt => !attempt.HasEnded).ToList())
        {
            _steps++;
            attempt.StartedAt ??= now;
            bool isLate = now - attempt.StartedAt >= attempt.Grant.Remaining;
            if (!attempt.IsCancelled && !isLate && attempt.Next < SimulatedCluster.AnswerTokens)
            {
                attempt.Write();
                continue;
            }
            attempt.HasEnded = true;
            _ledger.Ended(attempt.Grant.Attempt.Nonce, new AttemptEnd { Reason = attempt.IsCancelled || isLate ? EndReason.Cancelled : EndReason.Stop });
        }
    }

    private void Speak(TimeSpan now, bool beats)
    {
        List<AttemptOutput> outputs = [];
        foreach (Running attempt in _running.Values)
        {
            if (attempt.Output.Collect(now) is { } chunk)
                outputs.Add(new AttemptOutput(attempt.Grant.JobId, attempt.Grant.Attempt.Nonce, chunk));
        }
        if (beats)
            _beatAt = now;
        if (outputs.Count == 0 && _answers.Count == 0 && _claims.Count == 0 && !(beats && _running.Count > 0))
            return;
        _send(new WorkerMessage
        {
            Version = ProtocolVersion.Current,
            WorkerId = Id,
            Steps = _steps,
            SlotsUsed = _slots.Used,
            SlotsTotal = Slots,
            Answers = [.. _answers],
            Claims = [.. _claims],
            Outputs = outputs,
            Alive = beats ? [.. _running.Values.Select(attempt => new LiveAttempt(attempt.Grant.JobId, attempt.Grant.Attempt.Nonce, _steps))] : [],
        });
        _answers.Clear();
        _claims.Clear();
    }

    private sealed class Running(GrantMessage grant, AttemptBuffer output)
    {
        public GrantMessage Grant => grant;

        public AttemptBuffer Output => output;

        public int Next { get; private set; } = grant.Resume.Count;

        public TimeSpan? StartedAt { get; set; }

        public bool IsCancelled { get; set; }

        public bool HasEnded { get; set; }

        public void Write()
        {
            int attempt = grant.Attempt.Number;
            output.Write(Next, grant.Job!.Forward is null ? (Next * 100) + attempt : PieceKind.Text, Encoding.ASCII.GetBytes($"{Next}:{attempt} "));
            Next++;
        }
    }
}

using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Jobs;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>
/// Runs what the worker has promised. One loop reads everything that edges say, that the queues hold and that jobs come to, lets the
/// <see cref="WorkerLedger"/> decide, and sees to what it decided; so nothing here needs a lock.
/// </summary>
internal sealed partial class WorkerDispatcher
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(250);

    private readonly EventLoop _loop;
    private readonly Dictionary<string, RunningAttempt> _attempts = [];
    private readonly Dictionary<string, EdgeOutbox> _outboxes = [];
    private readonly SlotGate _slots;
    private readonly ModelHost _models;
    private readonly Capabilities _capabilities;
    private readonly AttemptRunner _runner;
    private readonly WorkerSeals _seals;
    private readonly SignalRSender _sender;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly WorkerLedger _ledger;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _draining;

    public WorkerDispatcher(
        SlotGate slots,
        ModelHost models,
        Capabilities capabilities,
        AttemptRunner runner,
        WorkerSeals seals,
        SignalRSender sender,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _slots = slots;
        _models = models;
        _capabilities = capabilities;
        _runner = runner;
        _seals = seals;
        _sender = sender;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<WorkerDispatcher>();
        _loop = new EventLoop(time, LogUnexpected);
        _ledger = new WorkerLedger(() => capabilities.WorkerId, slots, grant => new AttemptBuffer(grant.Resume.Count, Outbox(grant.Reply).Signal));
    }

    /// <summary>A slot has become free. Called on the loop.</summary>
    public event Action? SlotFreed;

    /// <summary>What runs is to be handed back: the worker leaves. Called on the loop.</summary>
    public event Action? HandingBack;

    public bool IsDraining => _draining;

    public void Granted(GrantMessage grant)
    {
        if (_seals.Open(grant) is { } opened)
            Decide(() => _ledger.Granted(opened, Now));
    }

    public void Denied(DenyMessage deny) => Decide(() => _ledger.Denied(deny.JobId));

    public void Stopped(StopMessage stop) => Decide(() => _ledger.Stopped(stop.Nonce, Now));

    public void Acknowledged(AckMessage message) => Decide(() => _ledger.Acknowledged(message, Now));

    /// <summary>A message was taken from a queue; a slot is held for it already.</summary>
    public void Claimed(QueuedJob job, Claim claim) => Decide(() => _ledger.Took(job, claim, Now));

    /// <summary>A slot is free again that was held for a job which no edge owns.</summary>
    public void Freed() => Decide(_ledger.Freed);

    private TimeSpan Now => _time.Elapsed();

    public async Task RunAsync(CancellationToken stopping)
    {
        await _loop.RunAsync(
            TickEvery,
            () => Decide(() =>
            {
                _ledger.Tick(Now);
                TickOutboxes();
            }),
            stopping);
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
        Decide(_ledger.Drain);
        if (await IsDrainedWithinAsync(patience))
            return;
        Decide(() =>
        {
            _ledger.HandBackAll();
            HandingBack?.Invoke();
        });
        if (!await IsDrainedWithinAsync(handingBack))
            LogNotDrained(_slots.Used);
    }

    private async Task<bool> IsDrainedWithinAsync(TimeSpan patience)
    {
        if (patience <= TimeSpan.Zero)
            return _drained.Task.IsCompleted;
        try
        {
            await _drained.Task.WaitAsync(patience, _time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Has the loop call the ledger, and do what it decides.</summary>
    private void Decide(Action decide) => _loop.Post(() =>
    {
        decide();
        foreach (WorkerEffect effect in _ledger.TakeEffects())
            Execute(effect);
        if (_draining && _ledger.IsEmpty)
            _drained.TrySetResult();
    });

    private void Execute(WorkerEffect effect)
    {
        switch (effect)
        {
            case WorkerEffect.Answer(var reply, var answer):
                Outbox(reply).Answer(answer);
                break;
            case WorkerEffect.Ask(var reply, var claim):
                Outbox(reply).Claim(claim);
                break;
            case WorkerEffect.Run(var grant, var output):
                Begin(grant, output);
                break;
            case WorkerEffect.Cancel(var nonce, var handBack):
                _attempts[nonce].Cancel(handBack);
                break;
            case WorkerEffect.Forget(var nonce):
                Forget(nonce);
                break;
            case WorkerEffect.TellSlots(var reply):
                Outbox(reply).TellSlots();
                break;
            case WorkerEffect.SlotFreed:
                SlotFreed?.Invoke();
                break;
            case WorkerEffect.EdgeGone(var jobId):
                LogEdgeGone(jobId);
                break;
        }
    }

    private void Begin(GrantMessage grant, AttemptBuffer output)
    {
        EdgeOutbox outbox = Outbox(grant.Reply);
        var attempt = new RunningAttempt(grant, output, outbox);
        _attempts.Add(attempt.Nonce, attempt);
        outbox.Add(attempt);
        _ = RunAsync(grant, attempt);
    }

    private async Task RunAsync(GrantMessage grant, RunningAttempt attempt)
    {
        AttemptEnd end = await _runner.RunAsync(grant, attempt);
        Decide(() => _ledger.Ended(attempt.Nonce, end));
    }

    private void Forget(string nonce)
    {
        if (!_attempts.Remove(nonce, out RunningAttempt? attempt))
            return;
        attempt.Outbox?.Remove(attempt);
        attempt.Dispose();
    }

    private void TickOutboxes()
    {
        foreach (var (url, outbox) in _outboxes.ToList())
        {
            outbox.Beat();
            // What is still to be asked or answered there can be no more.
            if (!outbox.IsIdle || outbox.Reply.ExpiresAt > _time.GetUtcNow() || _ledger.IsAsking(url))
                continue;
            _outboxes.Remove(url);
            _ = outbox.DisposeAsync().AsTask();
        }
    }

    private EdgeOutbox Outbox(ReplyCapability reply)
    {
        if (_outboxes.TryGetValue(reply.Url, out EdgeOutbox? outbox))
            outbox.Renew(reply);
        else
            _outboxes[reply.Url] = outbox = new EdgeOutbox(reply, _sender, Counters, _time, _loggers.CreateLogger<EdgeOutbox>());
        return outbox;
    }

    private WorkerMessage Counters() => new()
    {
        Version = ProtocolVersion.Current,
        WorkerId = _capabilities.WorkerId,
        Steps = _models.Steps,
        SlotsUsed = _slots.Used,
        SlotsTotal = _slots.Total,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure in the worker's dispatcher")]
    private partial void LogUnexpected(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The edge of job {Job} is gone; the job is stopped")]
    private partial void LogEdgeGone(string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} slots were still in use when the worker ended")]
    private partial void LogNotDrained(int count);
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Turns;

/// <summary>What an orchestrator's code sees and decides by. All of it happens on the turn's thread.</summary>
internal sealed class TurnContext : TaskOrchestrationContext
{
    private readonly InstanceRecord _record;
    private readonly DataConverter _converter;
    private readonly Dictionary<int, (string Name, TaskCompletionSource<Payload?> Task)> _open = [];
    private readonly EventWaiters _events = new();
    private readonly Queue<HistoryEvent.Decision> _recorded = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<HistoryEvent.Decision> _decided = [];
    private DateTime _now;
    private bool _isReplaying;
    private int _nextTaskId;
    private int _guids;
    private (bool IsSet, object? Value) _customStatus;

    public TurnContext(InstanceRecord record, DataConverter converter, ILoggerFactory loggers)
    {
        _record = record;
        _converter = converter;
        LoggerFactory = loggers;
        Name = record.Name;
        Parent = record.Parent is { } parent ? new(parent.Name, parent.InstanceId) : null;
    }

    public override TaskName Name { get; }

    public override string InstanceId => _record.Id;

    public override ParentOrchestrationInstance? Parent { get; }

    public override DateTime CurrentUtcDateTime => _now;

    public override bool IsReplaying => _isReplaying;

    /// <summary>Decided in the new turn.</summary>
    public IReadOnlyList<HistoryEvent.Decision> Decided => _decided;

    /// <summary>What was set last; that of the generation before, until then. Serialized once a turn: code that is run again sets it as often as it did.</summary>
    public Payload? CustomStatus => _customStatus.IsSet ? Serialize(_customStatus.Value) : _record.CustomStatus;

    /// <summary>Set where the code wants to continue as new.</summary>
    public ContinuedInput? Next { get; private set; }

    /// <summary>The code has decided otherwise than history says, or did what it must not. Kept even where the code catches the exception.</summary>
    public NonDeterministicOrchestrationException? Violation { get; private set; }

    /// <summary>Something that was given to the code has not ended.</summary>
    public bool IsWaiting => _open.Count > 0 || !_events.IsEmpty;

    protected override ILoggerFactory LoggerFactory { get; }

    public IReadOnlyList<HistoryEvent> UnreadEvents() => _events.Unread;

    /// <summary>The next turn begins; what the code did in the one before must be all that history has of that.</summary>
    /// <param name="decided">What history says that the code decides in it.</param>
    public void BeginTurn(DateTime now, bool isReplaying, IEnumerable<HistoryEvent.Decision> decided, bool hasEnded)
    {
        if (_recorded.TryPeek(out HistoryEvent.Decision? missing))
            Violate($"History has {missing.Describe()}, which the code does not call any more at this point.");
        else if (hasEnded)
            Violate("The code ends at a point after which history goes on.");
        _now = now;
        _isReplaying = isReplaying;
        foreach (HistoryEvent.Decision decision in decided)
            _recorded.Enqueue(decision);
    }

    /// <summary>Tells the code of one event.</summary>
    public void Tell(HistoryEvent told)
    {
        switch (told)
        {
            case HistoryEvent.TaskCompleted completed when _open.Remove(completed.TaskId, out var open):
                open.Task.SetResult(completed.Data);
                break;
            case HistoryEvent.TaskFailed failed when _open.Remove(failed.TaskId, out var open):
                open.Task.SetException(new TaskFailedException(open.Name, failed.TaskId, failed.Failure.ToDetails()));
                break;
            case HistoryEvent.TimerFired fired when _open.Remove(fired.TaskId, out var open):
                open.Task.SetResult(null);
                break;
            case HistoryEvent.EventRaised raised:
                _events.Tell(raised);
                break;
        }
    }

    public void Violate(string what) => Violation ??= new NonDeterministicOrchestrationException($"Orchestration '{InstanceId}' ({Name}): {what}");

    public object? ReadInput(Type type) => _converter.Deserialize(_record.Input?.Text, type);

    public Payload? Serialize(object? value) => _converter.Serialize(value) is { } text ? new Payload(text) : null;

    public override T? GetInput<T>()
        where T : default => _record.Input is { } input ? _converter.Deserialize<T>(input.Text) : default;

    public override Task<TResult> CallActivityAsync<TResult>(TaskName name, object? input = null, TaskOptions? options = null)
    {
        Payload? data = Serialize(input);
        return CallAsync<TResult>(options?.Retry, () => Decide(name.Name, id => new HistoryEvent.ActivityScheduled(id, name.Name) { Data = data }));
    }

    public override Task<TResult> CallSubOrchestratorAsync<TResult>(TaskName orchestratorName, object? input = null, TaskOptions? options = null)
    {
        Payload? data = Serialize(input);
        string? given = (options as SubOrchestrationOptions)?.InstanceId;
        return CallAsync<TResult>(options?.Retry, () => Decide(
            orchestratorName.Name,
            id => new HistoryEvent.ChildScheduled(id, orchestratorName.Name, given ?? $"{InstanceId}:{_record.Generation}:{id}") { Data = data }));
    }

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);
        DateTime utc = fireAt.Kind == DateTimeKind.Local ? fireAt.ToUniversalTime() : DateTime.SpecifyKind(fireAt, DateTimeKind.Utc);
        int id = _nextTaskId;
        Task timer = Decide("timer", taskId => new HistoryEvent.TimerCreated(taskId, utc));
        cancellationToken.Register(() =>
        {
            if (!_open.Remove(id, out var open))
                return;
            Check(new HistoryEvent.TimerCancelled(id));
            open.Task.SetCanceled(cancellationToken);
        });
        return timer;
    }

    public override async Task<T> WaitForExternalEvent<T>(string eventName, CancellationToken cancellationToken = default) =>
        Deserialize<T>(await _events.WaitAsync(eventName, cancellationToken));

    public override void SendEvent(string instanceId, string eventName, object payload) =>
        Check(new HistoryEvent.EventSent(_nextTaskId++, instanceId, eventName) { Data = Serialize(payload) });

    public override void SetCustomStatus(object? customStatus) => _customStatus = (true, customStatus);

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) =>
        Next = new(Serialize(newInput), preserveUnprocessedEvents);

    public override Guid NewGuid()
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{InstanceId}_{_record.Generation}_{_now:O}_{_guids++}");
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));
    }

    private async Task<TResult> CallAsync<TResult>(TaskRetryOptions? retry, Func<Task<Payload?>> call)
    {
        DateTime begun = _now;
        for (int attempts = 1; ; attempts++)
        {
            try
            {
                return Deserialize<TResult>(await call());
            }
            catch (TaskFailedException e) when (retry is not null)
            {
                if (!await TriesAgainAsync(retry, attempts, begun, e.FailureDetails))
                    throw;
            }
        }
    }

    private async Task<bool> TriesAgainAsync(TaskRetryOptions retry, int attempts, DateTime begun, TaskFailureDetails failure)
    {
        if (retry.Handler is { } handler)
            return await handler(new RetryContext(this, attempts, failure, _now - begun, CancellationToken.None));
        if (retry.Policy is not { } policy || RetryRule.Delay(policy, attempts, _now - begun) is not { } delay)
            return false;
        await CreateTimer(delay, CancellationToken.None);
        return true;
    }

    private Task<Payload?> Decide(string name, Func<int, HistoryEvent.Decision> decision)
    {
        int id = _nextTaskId++;
        Check(decision(id));
        // Continued within the turn, by its scheduler: not on another thread.
        TaskCompletionSource<Payload?> task = new();
        _open.Add(id, (name, task));
        return task.Task;
    }

    /// <summary>Holds a decision against history while it is run again, and adds it to the new ones after that.</summary>
    private void Check(HistoryEvent.Decision decision)
    {
        if (Environment.CurrentManagedThreadId != _thread)
            Violate($"The code calls {decision.Describe()} on another thread; it must not leave the one that it was called on.");
        if (Violation is not null)
            throw Violation;
        if (!_isReplaying)
        {
            _decided.Add(decision);
            return;
        }
        if (!_recorded.TryDequeue(out HistoryEvent.Decision? recorded))
            Violate($"The code calls {decision.Describe()}, which history does not have at this point.");
        else if (!recorded.IsSameAs(decision))
            Violate($"The code calls {decision.Describe()} where history has {recorded.Describe()}.");
        if (Violation is not null)
            throw Violation;
    }

    private T Deserialize<T>(Payload? payload) => _converter.Deserialize<T>(payload?.Text)!;
}

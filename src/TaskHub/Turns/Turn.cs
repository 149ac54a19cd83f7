using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Turns;

/// <summary>
/// One turn of an orchestration: its code is run from the begin, told again what history says, then what is new, and what it decides after that is new as well.
/// Depends on nothing but the record and the code.
/// </summary>
internal sealed class Turn
{
    private readonly InstanceRecord _record;
    private readonly DateTimeOffset _at;
    private readonly IReadOnlyList<HistoryEvent> _events;
    private readonly TurnContext _context;
    private readonly TurnScheduler _scheduler = new();
    private Task<object?>? _run;

    private Turn(InstanceRecord record, DateTimeOffset at, DataConverter converter, ILoggerFactory loggers)
    {
        _record = record;
        _at = at;
        _events = [.. record.History, new HistoryEvent.TurnStarted(at), .. record.Inbox];
        _context = new(record, converter, loggers);
    }

    /// <summary>The record after the turn.</summary>
    /// <param name="orchestrator">Null: nobody knows one of this name.</param>
    public static InstanceRecord Run(
        ITaskOrchestrator? orchestrator, InstanceRecord record, DateTimeOffset at, DataConverter converter, ILoggerFactory loggers)
    {
        Turn turn = new(record, at, converter, loggers);
        return orchestrator is null
            ? turn.Fail(new InvalidOperationException($"No orchestrator named '{record.Name}' is registered."))
            : turn.Run(orchestrator);
    }

    private InstanceRecord Run(ITaskOrchestrator orchestrator)
    {
        for (int i = 0; i < _events.Count && _context.Violation is null; i++)
        {
            switch (_events[i])
            {
                case HistoryEvent.TurnStarted started:
                    Begin(orchestrator, started, i);
                    break;
                case HistoryEvent.Decision:
                    // Compared as the code makes it again.
                    break;
                case var told:
                    _scheduler.Run(() => _context.Tell(told));
                    break;
            }
        }
        return Outcome();
    }

    private void Begin(ITaskOrchestrator orchestrator, HistoryEvent.TurnStarted started, int index)
    {
        bool isReplaying = index < _record.History.Count;
        IEnumerable<HistoryEvent.Decision> decided = isReplaying
            ? _events.Skip(index + 1).TakeWhile(one => one is not HistoryEvent.TurnStarted).OfType<HistoryEvent.Decision>()
            : [];
        _context.BeginTurn(started.At.UtcDateTime, isReplaying, decided, hasEnded: _run is { IsCompleted: true });
        if (_run is null)
            _scheduler.Run(() => _run = StartAsync(orchestrator));
    }

    /// <summary>What goes wrong before the code's first line is its failure too: an input of another form, say.</summary>
    private async Task<object?> StartAsync(ITaskOrchestrator orchestrator) =>
        await orchestrator.RunAsync(_context, _context.ReadInput(orchestrator.InputType));

    private InstanceRecord Outcome()
    {
        if (_scheduler.IsDisturbed || (_run is { IsCompleted: false } && _context.Violation is null && !_context.IsWaiting))
        {
            _context.Violate("The orchestrator waits for something that its context did not give: a task of another thread, a delay, input or output. "
                + "Only tasks of TaskOrchestrationContext may be awaited.");
        }
        if (_context.Violation is { } violation)
            return Fail(violation);
        InstanceRecord record = Running();
        if (_run is not { IsCompleted: true } run)
            return record;
        if (run.Exception?.InnerException is { } exception)
            return record.End(OrchestrationRuntimeStatus.Failed, null, TaskFailure.From(exception), _at);
        if (run.IsCanceled)
            return record.End(OrchestrationRuntimeStatus.Failed, null, TaskFailure.From(new TaskCanceledException(run)), _at);
        if (_context.Next is { } next)
            return ContinueAsNew(record, next);
        return record.End(OrchestrationRuntimeStatus.Completed, _context.Serialize(run.Result), null, _at);
    }

    private InstanceRecord Running() => _record with
    {
        Status = OrchestrationRuntimeStatus.Running,
        UpdatedAt = _at,
        CustomStatus = _context.CustomStatus,
        History = [.. _events, .. _context.Decided],
        Inbox = [],
        Outbox = [.. _record.Outbox, .. _context.Decided.OfType<HistoryEvent.EventSent>().Select(Outgoing)],
    };

    private InstanceRecord ContinueAsNew(InstanceRecord record, ContinuedInput next) => record with
    {
        Generation = record.Generation + 1,
        Input = next.Input,
        History = [],
        Inbox = next.KeepsEvents ? [.. _context.UnreadEvents()] : [],
    };

    private OutgoingEvent Outgoing(HistoryEvent.EventSent sent) => new($"{_record.Id}/{_record.Generation}/{sent.TaskId}", sent.Target, sent.Name, sent.Data);

    /// <summary>History stays as it was: it is what the code would have to be held against.</summary>
    private InstanceRecord Fail(Exception exception) =>
        _record.End(OrchestrationRuntimeStatus.Failed, null, TaskFailure.From(exception), _at);
}

/// <param name="KeepsEvents">Events that nobody has waited for are there for the next generation.</param>
internal sealed record ContinuedInput(Payload? Input, bool KeepsEvents);

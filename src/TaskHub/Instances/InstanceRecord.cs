using System.Text.Json.Serialization;
using Microsoft.DurableTask.Client;

namespace OllamaMax.TaskHub.Instances;

/// <summary>
/// An orchestration, as it lies in storage: all that is known of it in one document, changed only under the ETag it was read with, so that its history, its
/// state and what it wants done can never disagree. A state machine without clock, chance or I/O.
/// </summary>
internal sealed record InstanceRecord
{
    /// <summary>Ids of raised events that are remembered: as many as may come twice at a time.</summary>
    private const int MostRemembered = 256;

    public int Version { get; init; } = 1;

    public required string Id { get; init; }

    /// <summary>Of its orchestrator.</summary>
    public required string Name { get; init; }

    public OrchestrationRuntimeStatus Status { get; init; } = OrchestrationRuntimeStatus.Pending;

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Not before; null: at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    public Payload? Input { get; init; }

    public Payload? CustomStatus { get; init; }

    public Payload? Output { get; init; }

    public TaskFailure? Failure { get; init; }

    /// <summary>Whose sub-orchestration it is; null: nobody's.</summary>
    public ParentTask? Parent { get; init; }

    /// <summary>How often it has continued as new.</summary>
    public int Generation { get; init; }

    /// <summary>Of the host that wrote it last; one of a lower epoch stops.</summary>
    public long Epoch { get; init; }

    /// <summary>Turns, each as it begins, with what its code was told and then decided.</summary>
    public IReadOnlyList<HistoryEvent> History { get; init; } = [];

    /// <summary>What has come since the last turn.</summary>
    public IReadOnlyList<HistoryEvent> Inbox { get; init; } = [];

    /// <summary>Events for other orchestrations that have not arrived there yet.</summary>
    public IReadOnlyList<OutgoingEvent> Outbox { get; init; } = [];

    /// <summary>Ids of events that were raised.</summary>
    public IReadOnlyList<string> Raised { get; init; } = [];

    /// <summary>It was terminated, and its sub-orchestrations are to be.</summary>
    public bool TerminatesChildren { get; init; }

    [JsonIgnore]
    public bool IsEnded => Status is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    /// <summary>A host has something to do for it, now or later.</summary>
    [JsonIgnore]
    public bool IsOpen => !IsEnded || TerminatesChildren || Outbox.Count > 0;

    public bool NeedsTurn(DateTimeOffset now) =>
        !IsEnded && Status != OrchestrationRuntimeStatus.Suspended && !(StartAt > now) && (History.Count == 0 || Inbox.Count > 0);

    /// <summary>Of a sub-orchestration that its parent has decided on.</summary>
    public InstanceRecord Child(HistoryEvent.ChildScheduled child, DateTimeOffset at) => new()
    {
        Id = child.ChildId,
        Name = child.Name,
        CreatedAt = at,
        UpdatedAt = at,
        Input = child.Data is { } data ? new Payload(data.Text) : null,
        Parent = new(Id, Name, Generation, child.TaskId),
    };

    /// <summary>What its parent is told of its end.</summary>
    public InstanceCommand EndFor(ParentTask parent) => Status == OrchestrationRuntimeStatus.Completed
        ? new InstanceCommand.Complete(parent.Generation, parent.TaskId, Output is { } output ? new Payload(output.Text) : null)
        : new InstanceCommand.Fail(parent.Generation, parent.TaskId, Failure ?? TaskFailure.Terminated(Output?.Text));

    /// <summary>When something is due by itself; null: never.</summary>
    public DateTimeOffset? NextDue()
    {
        if (IsEnded)
            return null;
        IEnumerable<DateTimeOffset> due = Pending().OfType<HistoryEvent.TimerCreated>().Select(timer => timer.FireAt);
        return (History.Count == 0 && StartAt is { } startAt ? due.Append(startAt) : due).Select(at => (DateTimeOffset?)at).Min();
    }

    /// <summary>Activities, sub-orchestrations and timers that have not ended.</summary>
    public IReadOnlyList<HistoryEvent.Decision> Pending()
    {
        if (IsEnded)
            return [];
        Dictionary<int, HistoryEvent.Decision> pending = [];
        foreach (HistoryEvent one in History.Concat(Inbox))
        {
            switch (one)
            {
                case HistoryEvent.TimerCancelled cancelled:
                    pending.Remove(cancelled.TaskId);
                    break;
                case HistoryEvent.ActivityScheduled or HistoryEvent.ChildScheduled or HistoryEvent.TimerCreated:
                    pending.Add(((HistoryEvent.Decision)one).TaskId, (HistoryEvent.Decision)one);
                    break;
                case HistoryEvent.TaskCompleted completed:
                    pending.Remove(completed.TaskId);
                    break;
                case HistoryEvent.TaskFailed failed:
                    pending.Remove(failed.TaskId);
                    break;
                case HistoryEvent.TimerFired fired:
                    pending.Remove(fired.TaskId);
                    break;
            }
        }
        return [.. pending.Values.OrderBy(decision => decision.TaskId)];
    }

    /// <summary>Sub-orchestrations of this generation, ended ones too.</summary>
    public IEnumerable<string> Children() => History.OfType<HistoryEvent.ChildScheduled>().Select(child => child.ChildId);

    /// <summary>The record after the commands; the same instance where they change nothing.</summary>
    public InstanceRecord Apply(IEnumerable<InstanceCommand> commands, DateTimeOffset at)
    {
        InstanceRecord record = this;
        // Looked up once for all: a thousand branches may end between two turns.
        HashSet<int>? pending = null;
        List<HistoryEvent> inbox = [];
        foreach (InstanceCommand command in commands)
        {
            if (record.IsEnded || !record.Takes(command, pending ??= [.. record.Pending().Select(decision => decision.TaskId)], at, inbox))
                record = record.ApplyOther(command, at, inbox);
        }
        return inbox.Count == 0 || record.IsEnded ? record : record with { Inbox = [.. record.Inbox, .. inbox], UpdatedAt = at };
    }

    public InstanceRecord Apply(InstanceCommand command, DateTimeOffset at) => Apply([command], at);

    /// <summary>It has come to its end.</summary>
    public InstanceRecord End(OrchestrationRuntimeStatus status, Payload? output, TaskFailure? failure, DateTimeOffset at) => this with
    {
        Status = status,
        Output = output,
        Failure = failure,
        UpdatedAt = at,
        Inbox = [],
    };

    /// <summary>True where the command is one that the code is told of in its next turn, and has been added to the inbox if it counts.</summary>
    private bool Takes(InstanceCommand command, HashSet<int> pending, DateTimeOffset at, List<HistoryEvent> inbox)
    {
        switch (command)
        {
            case InstanceCommand.Complete complete:
                if (complete.Generation == Generation && pending.Remove(complete.TaskId))
                    inbox.Add(new HistoryEvent.TaskCompleted(complete.TaskId) { Data = complete.Output });
                return true;
            case InstanceCommand.Fail fail:
                if (fail.Generation == Generation && pending.Remove(fail.TaskId))
                    inbox.Add(new HistoryEvent.TaskFailed(fail.TaskId, fail.Failure));
                return true;
            case InstanceCommand.Tick:
                foreach (HistoryEvent.TimerCreated timer in DueTimers(at))
                {
                    if (pending.Remove(timer.TaskId))
                        inbox.Add(new HistoryEvent.TimerFired(timer.TaskId));
                }
                return true;
            default:
                return false;
        }
    }

    private InstanceRecord ApplyOther(InstanceCommand command, DateTimeOffset at, List<HistoryEvent> inbox)
    {
        switch (command)
        {
            case InstanceCommand.Raise raise when !IsEnded && (raise.Id is null || !Raised.Contains(raise.Id)):
                inbox.Add(new HistoryEvent.EventRaised(raise.Name) { Data = raise.Data });
                return raise.Id is null ? this : this with { Raised = [.. Raised.TakeLast(MostRemembered - 1), raise.Id] };
            case InstanceCommand.Terminate terminate when !IsEnded:
                return End(OrchestrationRuntimeStatus.Terminated, terminate.Output, null, at) with
                {
                    TerminatesChildren = terminate.Recursive && Children().Any(),
                };
            case InstanceCommand.Suspend when !IsEnded && Status != OrchestrationRuntimeStatus.Suspended:
                return this with { Status = OrchestrationRuntimeStatus.Suspended, UpdatedAt = at };
            case InstanceCommand.Resume when Status == OrchestrationRuntimeStatus.Suspended:
                return this with { Status = History.Count == 0 ? OrchestrationRuntimeStatus.Pending : OrchestrationRuntimeStatus.Running, UpdatedAt = at };
            case InstanceCommand.Delivered delivered when Outbox.Any(one => one.Id == delivered.EventId):
                return this with { Outbox = [.. Outbox.Where(one => one.Id != delivered.EventId)] };
            case InstanceCommand.ChildrenTerminated when TerminatesChildren:
                return this with { TerminatesChildren = false };
            default:
                return this;
        }
    }

    private IEnumerable<HistoryEvent.TimerCreated> DueTimers(DateTimeOffset at) =>
        Pending().OfType<HistoryEvent.TimerCreated>().Where(timer => timer.FireAt <= at).OrderBy(timer => timer.FireAt).ThenBy(timer => timer.TaskId);
}

/// <summary>The task of another orchestration that a sub-orchestration is.</summary>
internal sealed record ParentTask(string InstanceId, string Name, int Generation, int TaskId);

/// <param name="Id">The same whenever it is sent again.</param>
internal sealed record OutgoingEvent(string Id, string Target, string Name, Payload? Data);

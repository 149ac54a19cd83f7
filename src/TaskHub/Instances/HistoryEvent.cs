using System.Text.Json.Serialization;

namespace OllamaMax.TaskHub.Instances;

/// <summary>What an orchestration's code has been told, and what it has decided. Run again with the same events it must decide the same.</summary>
[JsonDerivedType(typeof(HistoryEvent.TurnStarted), "turn")]
[JsonDerivedType(typeof(HistoryEvent.TaskCompleted), "completed")]
[JsonDerivedType(typeof(HistoryEvent.TaskFailed), "failed")]
[JsonDerivedType(typeof(HistoryEvent.TimerFired), "fired")]
[JsonDerivedType(typeof(HistoryEvent.EventRaised), "raised")]
[JsonDerivedType(typeof(HistoryEvent.ActivityScheduled), "activity")]
[JsonDerivedType(typeof(HistoryEvent.ChildScheduled), "child")]
[JsonDerivedType(typeof(HistoryEvent.TimerCreated), "timer")]
[JsonDerivedType(typeof(HistoryEvent.TimerCancelled), "timer_cancelled")]
[JsonDerivedType(typeof(HistoryEvent.EventSent), "sent")]
internal abstract record HistoryEvent
{
    /// <summary>Input, output or content.</summary>
    public Payload? Data { get; init; }

    /// <summary>The code is run once more, with the events that follow up to its decisions. <paramref name="At"/> is the time that it sees.</summary>
    public sealed record TurnStarted(DateTimeOffset At) : HistoryEvent;

    /// <summary>An activity or a sub-orchestration has ended.</summary>
    public sealed record TaskCompleted(int TaskId) : HistoryEvent;

    public sealed record TaskFailed(int TaskId, TaskFailure Failure) : HistoryEvent;

    public sealed record TimerFired(int TaskId) : HistoryEvent;

    public sealed record EventRaised(string Name) : HistoryEvent;

    /// <summary>What the code has decided. Task ids count up within a generation.</summary>
    public abstract record Decision(int TaskId) : HistoryEvent
    {
        /// <summary>Whether the code, run again, has made the same decision. When a timer fires may change between two versions of the code.</summary>
        public bool IsSameAs(Decision other) => (this, other) switch
        {
            (ActivityScheduled a, ActivityScheduled b) => a.TaskId == b.TaskId && Same(a.Name, b.Name),
            (ChildScheduled a, ChildScheduled b) => a.TaskId == b.TaskId && Same(a.Name, b.Name),
            (EventSent a, EventSent b) => a.TaskId == b.TaskId && a.Target == b.Target && Same(a.Name, b.Name),
            _ => GetType() == other.GetType() && TaskId == other.TaskId,
        };

        /// <summary>For error messages.</summary>
        public string Describe() => this switch
        {
            ActivityScheduled activity => $"activity '{activity.Name}' (#{TaskId})",
            ChildScheduled child => $"sub-orchestration '{child.Name}' (#{TaskId})",
            TimerCreated => $"a timer (#{TaskId})",
            TimerCancelled => $"the cancellation of the timer #{TaskId}",
            EventSent sent => $"event '{sent.Name}' to '{sent.Target}' (#{TaskId})",
            _ => $"{GetType().Name} (#{TaskId})",
        };

        private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
    }

    public sealed record ActivityScheduled(int TaskId, string Name) : Decision(TaskId);

    public sealed record ChildScheduled(int TaskId, string Name, string ChildId) : Decision(TaskId);

    public sealed record TimerCreated(int TaskId, DateTimeOffset FireAt) : Decision(TaskId);

    /// <summary>The code waits for that timer no more.</summary>
    public sealed record TimerCancelled(int TaskId) : Decision(TaskId);

    public sealed record EventSent(int TaskId, string Target, string Name) : Decision(TaskId);
}

using OllamaMax.Models;
using OllamaMax.Workers;

namespace OllamaMax.Cluster;

/// <summary>A worker as its last heartbeat shows it.</summary>
/// <param name="Age">Time since the heartbeat, by storage's clock alone.</param>
public sealed record WorkerView(WorkerReport Report, TimeSpan Age)
{
    private const double SuspectAfter = 2.5;
    private const double GoneAfter = 5;

    /// <summary>When the heartbeat was written, by storage's clock.</summary>
    public DateTimeOffset HeartbeatAt { get; init; }

    /// <summary>Models of servers that it forwards to.</summary>
    public IReadOnlyList<ForwardedModel> Forwarded { get; init; } = [];

    /// <summary>What is wrong with the report (<see cref="WorkerFlags"/>).</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>People want it to take nothing new, whether or not it has heard of it yet.</summary>
    public bool IsToDrain { get; init; }

    /// <summary>It is not trusted any more: whatever it reports, it is gone.</summary>
    public bool IsRevoked { get; init; }

    /// <summary>Its labels, its site among them; without those of its own where they go beyond what labels may be.</summary>
    public IReadOnlyDictionary<string, string> Labels => WorkerLabels.Of(Report);

    /// <summary>Alive: at most one heartbeat is missing. Gone: several are.</summary>
    public WorkerState State =>
        Report.Left || IsRevoked ? WorkerState.Gone
        : Age > Intervals(GoneAfter) ? WorkerState.Gone
        : Age > Intervals(SuspectAfter) ? WorkerState.Suspect
        : Report.Draining || IsToDrain ? WorkerState.Draining
        : WorkerState.Alive;

    /// <summary>The drain that people wished for is over: by its own word it takes nothing new and runs nothing. What edges have heard of its slots says less, as each hears of its own jobs.</summary>
    public bool IsDrained => State == WorkerState.Draining && IsToDrain && Report.Draining && Report.SlotsUsed == 0;

    /// <summary>When it came into its state at the earliest, by storage's clock: a silence counts from the moment when it was long enough.</summary>
    public DateTimeOffset StateSince => State switch
    {
        WorkerState.Gone when !Report.Left && !IsRevoked => HeartbeatAt + Intervals(GoneAfter),
        WorkerState.Suspect => HeartbeatAt + Intervals(SuspectAfter),
        _ => HeartbeatAt,
    };

    private TimeSpan Intervals(double count) => TimeSpan.FromSeconds(Report.IntervalSeconds * count);
}

public enum WorkerState
{
    Alive,
    Suspect,
    Draining,
    Gone,
}

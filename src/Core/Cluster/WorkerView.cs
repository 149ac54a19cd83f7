using OllamaMax.Models;
using OllamaMax.Workers;

namespace OllamaMax.Cluster;

/// <summary>A worker as its last heartbeat shows it.</summary>
/// <param name="Age">Time since the heartbeat, by storage's clock alone.</param>
public sealed record WorkerView(WorkerReport Report, TimeSpan Age)
{
    /// <summary>Models of servers that it forwards to.</summary>
    public IReadOnlyList<ForwardedModel> Forwarded { get; init; } = [];

    /// <summary>Its labels, its site among them; without those of its own where they go beyond what labels may be.</summary>
    public IReadOnlyDictionary<string, string> Labels => WorkerLabels.Of(Report);

    /// <summary>Alive: at most one heartbeat is missing. Gone: several are.</summary>
    public WorkerState State =>
        Report.Left ? WorkerState.Gone
        : Age > TimeSpan.FromSeconds(Report.IntervalSeconds * 5) ? WorkerState.Gone
        : Age > TimeSpan.FromSeconds(Report.IntervalSeconds * 2.5) ? WorkerState.Suspect
        : Report.Draining ? WorkerState.Draining
        : WorkerState.Alive;
}

public enum WorkerState
{
    Alive,
    Suspect,
    Draining,
    Gone,
}

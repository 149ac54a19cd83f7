namespace OllamaMax.Cluster;

/// <summary>A worker as the leader has last seen it change.</summary>
/// <param name="Name">Its own.</param>
/// <param name="State">What its heartbeats come to.</param>
/// <param name="Since">From when on, by storage's clock: whoever finds it out, and however late, finds the same time.</param>
/// <param name="Flags">What is wrong with its reports (<see cref="WorkerFlags"/>).</param>
public sealed record Member(string Name, WorkerState State, DateTimeOffset Since, IReadOnlyList<string> Flags)
{
    /// <summary>The same instance where nothing has changed.</summary>
    internal static Member Of(WorkerView worker, Member? before)
    {
        bool isSameState = before?.State == worker.State;
        if (isSameState && before!.Name == worker.Report.Name && before.Flags.SequenceEqual(worker.Flags))
            return before;
        return new(worker.Report.Name, worker.State, isSameState ? before!.Since : worker.StateSince, worker.Flags);
    }
}

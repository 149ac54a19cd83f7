using OllamaMax.Replication;

namespace OllamaMax.Cluster;

/// <summary>What may happen to the cluster's state.</summary>
public abstract record ClusterCommand
{
    /// <summary>The leader has listed the heartbeats. Saying it twice, or saying what is known, changes nothing.</summary>
    /// <param name="Workers">All of them, with the state's own wishes in them (<see cref="ClusterState.View"/>).</param>
    public sealed record Observe(IReadOnlyList<WorkerView> Workers) : ClusterCommand;

    /// <summary>What people want; put by any edge, in whoever's epoch.</summary>
    /// <param name="Id">Drawn for this command: it is carried out once, however often it is tried.</param>
    public abstract record Wish(string Id) : ClusterCommand;

    /// <summary>The worker is to take nothing new.</summary>
    public sealed record Drain(string Id, string WorkerId, DateTimeOffset At) : Wish(Id);

    /// <summary>It may take jobs again.</summary>
    public sealed record Undrain(string Id, string WorkerId) : Wish(Id);

    /// <summary>It is not trusted any more. There is no way back: who is let in again is another worker.</summary>
    public sealed record Revoke(string Id, string WorkerId, DateTimeOffset At) : Wish(Id);

    /// <summary>How a model's copies are to be held.</summary>
    /// <param name="Model">Its name as <see cref="ClusterState.PolicyKey"/> writes it.</param>
    /// <param name="Policy">Null: however requests bring them.</param>
    public sealed record SetPolicy(string Id, string Model, ModelPolicy? Policy) : Wish(Id);

    /// <summary>What a backup's state wishes stands again. What it does not name stays as it is; of a revocation there is no way back here either.</summary>
    public sealed record Restore(string Id, ClusterState Backup) : Wish(Id);
}

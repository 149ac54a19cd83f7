namespace OllamaMax.Storage;

/// <summary>Names of the blob containers.</summary>
public static class Containers
{
    /// <summary>Blobs, chunk lists and manifests of models.</summary>
    public const string Models = "models";

    /// <summary>Heartbeats, enrolments, join tokens, and what the leader owns.</summary>
    public const string Cluster = "cluster";

    /// <summary>Job payloads that are too large for a message; records and outputs of background jobs.</summary>
    public const string Jobs = "jobs";

    /// <summary>Keys' records, what they have used and may still use. No worker is ever given a signature for it.</summary>
    public const string Keys = "keys";

    /// <summary>The audit log: of its own, so that the account's policy can make it immutable.</summary>
    public const string Audit = "audit";

    public static IReadOnlyList<string> All { get; } = [Models, Cluster, Jobs, Keys, Audit];
}

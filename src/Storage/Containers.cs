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

    /// <summary>The local task hub's orchestrations.</summary>
    public const string TaskHub = "taskhub";

    public static IReadOnlyList<string> All { get; } = [Models, Cluster, Jobs, TaskHub];
}

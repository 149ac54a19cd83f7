namespace OllamaMax.Streaming;

/// <summary>Names of the messages that travel over SignalR.</summary>
public static class Targets
{
    /// <summary>Edge to worker: <see cref="GrantMessage"/>, unasked (a push) or after a claim.</summary>
    public const string Grant = "grant";

    /// <summary>Edge to worker: <see cref="DenyMessage"/>.</summary>
    public const string Deny = "deny";

    /// <summary>Edge to worker: <see cref="AckMessage"/>.</summary>
    public const string Ack = "ack";

    /// <summary>Edge to worker: <see cref="StopMessage"/>.</summary>
    public const string Stop = "stop";

    /// <summary>Edge to worker: <see cref="NudgeMessage"/>.</summary>
    public const string Nudge = "nudge";

    /// <summary>Edge to worker: <see cref="WatchMessage"/>.</summary>
    public const string Watch = "watch";

    /// <summary>Edge to itself: <see cref="EchoMessage"/>.</summary>
    public const string Echo = "echo";

    /// <summary>Edge to worker: <see cref="UnloadMessage"/>.</summary>
    public const string Unload = "unload";

    /// <summary>Leader to worker: <see cref="DirectiveMessage"/>.</summary>
    public const string Directive = "directive";

    /// <summary>Leader to worker: <see cref="ReplicaOrdersMessage"/>.</summary>
    public const string Replicas = "replicas";

    /// <summary>Edge to worker: <see cref="CancelTransferMessage"/>.</summary>
    public const string CancelTransfer = "cancel-transfer";

    /// <summary>Edge to worker: <see cref="ResumeTransferMessage"/>.</summary>
    public const string ResumeTransfer = "resume-transfer";

    /// <summary>Edge to all edges: <see cref="ClusterChangedMessage"/>.</summary>
    public const string ClusterChanged = "cluster-changed";

    /// <summary>Worker to edge: <see cref="WorkerMessage"/>.</summary>
    public const string Output = "output";

    /// <summary>Worker to whoever has subscribed to a background job: <see cref="JobProgress"/>.</summary>
    public const string Progress = "progress";
}

/// <summary>SignalR users that edges and workers listen as.</summary>
public static class Users
{
    /// <summary>The one hub of the system.</summary>
    public const string Hub = "ollamamax";

    /// <summary>The group of all edges.</summary>
    public const string Edges = "edges";

    public static string Edge(string edgeId) => $"edge-{edgeId}";

    public static string Worker(string workerId) => $"worker-{workerId}";

    /// <summary>The group of those that have subscribed to a background job.</summary>
    public static string Watchers(string jobId) => $"job-{jobId}";
}

namespace OllamaMax.Security;

/// <summary>What a principal may do; roles map to sets of these.</summary>
[Flags]
public enum Permissions
{
    None = 0,

    /// <summary>Run inferences.</summary>
    Infer = 1 << 0,

    /// <summary>List and show models.</summary>
    ReadModels = 1 << 1,

    /// <summary>Pull, copy and delete models.</summary>
    ManageModels = 1 << 2,

    /// <summary>See workers, queues and metrics.</summary>
    ReadCluster = 1 << 3,

    /// <summary>Drain workers, issue join tokens, set policies.</summary>
    ManageCluster = 1 << 4,

    /// <summary>Issue and revoke keys.</summary>
    ManageKeys = 1 << 5,

    All = Infer | ReadModels | ManageModels | ReadCluster | ManageCluster | ManageKeys,
}

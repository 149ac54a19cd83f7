namespace OllamaMax.Security;

/// <summary>What a principal may do; roles map to sets of these (<see cref="Roles"/>).</summary>
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

    /// <summary>Drain workers, set policies.</summary>
    ManageCluster = 1 << 4,

    /// <summary>Issue and revoke keys, read the audit log.</summary>
    ManageKeys = 1 << 5,

    /// <summary>See, follow, cancel and delete the own tenant's jobs and stored responses.</summary>
    OwnJobs = 1 << 6,

    /// <summary>See of other tenants' jobs all but what was asked and answered; queue failed ones again.</summary>
    AllJobs = 1 << 7,

    /// <summary>Let a worker in: make join tokens.</summary>
    JoinWorkers = 1 << 8,

    /// <summary>See what the own tenant has used.</summary>
    ReadUsage = 1 << 9,

    All = Infer | ReadModels | ManageModels | ReadCluster | ManageCluster | ManageKeys | OwnJobs | AllJobs | JoinWorkers | ReadUsage,
}

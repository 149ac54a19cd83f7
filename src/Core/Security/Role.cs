namespace OllamaMax.Security;

/// <summary>What a key or a token is for.</summary>
public enum Role
{
    /// <summary>Nothing but making join tokens: for a box that is to let itself in.</summary>
    Worker,

    /// <summary>Looks at models, cluster, metrics and usage, and asks nothing.</summary>
    Readonly,

    /// <summary>Runs inferences and jobs of its tenant.</summary>
    User,

    /// <summary>Besides, looks after models, workers and everybody's jobs.</summary>
    Operator,

    /// <summary>Besides, gives out keys and reads the audit log.</summary>
    Admin,
}

/// <summary>What roles may do, and how they are written.</summary>
public static class Roles
{
    private const Permissions Reader = Permissions.ReadModels | Permissions.ReadCluster | Permissions.ReadUsage;

    /// <summary>All of them, as clients write them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<Role>().Select(NameOf)];

    public static Permissions PermissionsOf(Role role) => role switch
    {
        Role.Worker => Permissions.JoinWorkers,
        Role.Readonly => Reader,
        Role.User => Permissions.Infer | Permissions.ReadModels | Permissions.OwnJobs | Permissions.ReadUsage,
        Role.Operator => Permissions.All & ~Permissions.ManageKeys,
        Role.Admin => Permissions.All,
        _ => Permissions.None,
    };

#pragma warning disable CA1308 // Roles are written in lower case.
    public static string NameOf(Role role) => role.ToString().ToLowerInvariant();
#pragma warning restore CA1308

    /// <summary>Null where it is no role's name.</summary>
    public static Role? Find(string? name)
    {
        foreach (Role role in Enum.GetValues<Role>())
        {
            if (NameOf(role) == name)
                return role;
        }
        return null;
    }
}

namespace OllamaMax.Security;

/// <summary>Who makes a request, as authentication found it.</summary>
/// <param name="Tenant">Whom limits, fairness, retention and audit count for.</param>
/// <param name="Name">For logs and audit; unique in the tenant.</param>
/// <param name="Permissions">What it may do.</param>
public sealed record Principal(string Tenant, string Name, Permissions Permissions)
{
    /// <summary>Id of the key, or subject of the token; null where none was needed: then nothing is counted.</summary>
    public string? Credential { get; init; }

    /// <summary>What people call a user of an issuer, by what that says today; it may be another's tomorrow, so nothing hangs on it. Null: nothing, or a key.</summary>
    public string? DisplayName { get; init; }

    /// <summary>The models that it may use and see.</summary>
    public ModelAllowList Models { get; init; } = ModelAllowList.All;

    /// <summary>What its key, or it as a user of an issuer, may use; its tenant's limits count besides.</summary>
    public UsageLimits Limits { get; init; } = UsageLimits.None;

    public bool May(Permissions permissions) => (Permissions & permissions) == permissions;
}

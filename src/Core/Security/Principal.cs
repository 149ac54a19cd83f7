namespace OllamaMax.Security;

/// <summary>Who makes a request, as authentication found it.</summary>
/// <param name="Tenant">Whom limits, fairness, retention and audit count for.</param>
/// <param name="Name">For logs and audit; unique in the tenant.</param>
/// <param name="Permissions">What it may do.</param>
public sealed record Principal(string Tenant, string Name, Permissions Permissions)
{
    public bool May(Permissions permissions) => (Permissions & permissions) == permissions;
}

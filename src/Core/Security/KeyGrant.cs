namespace OllamaMax.Security;

/// <summary>
/// What is kept of the key that something was submitted with which makes jobs later, when the key itself may be gone: they are counted for it, and are of no model
/// that it may not use.
/// </summary>
/// <param name="Credential">As <see cref="Principal.Credential"/>.</param>
/// <param name="Limits">Null: none.</param>
/// <param name="Models">Patterns of <see cref="ModelAllowList"/>; null: all models.</param>
public sealed record KeyGrant(string? Credential, UsageLimits? Limits, IReadOnlyList<string>? Models)
{
    public static KeyGrant Of(Principal principal) =>
        new(principal.Credential, principal.Limits.IsNone ? null : principal.Limits, principal.Models.Patterns);

    /// <summary>Who asks for a job in its name.</summary>
    public Principal Principal(string tenant, string name) => new(tenant, name, Permissions.Infer)
    {
        Credential = Credential,
        Limits = Limits ?? UsageLimits.None,
        Models = new ModelAllowList(Models),
    };
}

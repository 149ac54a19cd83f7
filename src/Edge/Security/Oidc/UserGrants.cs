using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>
/// What a user of the issuer may and has here, by what the token says of them: of several roles and groups all permissions and models, and of each limit the highest. What none of their groups
/// says is as the entry for everybody says.
/// </summary>
internal sealed class UserGrants(OidcOptions options)
{
    /// <param name="roles">Values of the role claim.</param>
    /// <param name="groups">Values of the group claim.</param>
    public UserGrant Of(IReadOnlyCollection<string> roles, IReadOnlyCollection<string> groups)
    {
        OidcGroup everybody = options.Everybody;
        OidcGroup[] own = [.. options.NamedGroups.Where(group => roles.Contains(group.Value) || groups.Contains(group.Value)).Select(group => group.Group)];
        Permissions permissions = PermissionsOf(roles.Select(role => options.Roles.TryGetValue(role, out string? name) ? name : null).Concat(own.Select(group => group.Role)));
        if (permissions == Permissions.None)
            permissions = PermissionsOf([options.DefaultRole]);
        // Who can copy a model onto another name is not held by a list of names.
        bool hasAllModels = (permissions & Permissions.ManageModels) != 0;
        if (own.Length == 0)
            own = [everybody];
        return new(permissions, hasAllModels ? ModelAllowList.All : ModelsOf(own, everybody), LimitsOf(own, everybody));
    }

    private static Permissions PermissionsOf(IEnumerable<string?> roles) =>
        roles.Select(Roles.Find).OfType<Role>().Aggregate(Permissions.None, (all, role) => all | Roles.PermissionsOf(role));

    private static ModelAllowList ModelsOf(OidcGroup[] own, OidcGroup everybody)
    {
        IList<string>[] lists = [.. own.Select(group => group.Models.Count > 0 ? group.Models : everybody.Models)];
        return Array.Exists(lists, list => list.Count == 0) ? ModelAllowList.All : new([.. lists.SelectMany(list => list).Distinct()]);
    }

    private static UsageLimits LimitsOf(OidcGroup[] own, OidcGroup everybody) =>
        own.Select(group => group.Usage.Or(everybody.Usage)).Aggregate((one, other) => one.OrMore(other));
}

/// <summary>What a user may and has.</summary>
internal sealed record UserGrant(Permissions Permissions, ModelAllowList Models, UsageLimits Limits);

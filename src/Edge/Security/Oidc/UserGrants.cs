using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>
/// What a user of the issuer may and has here, by what the token says of them: of several roles and groups all permissions and models, and of each limit the highest. What none of their groups
/// says is as the entry for everybody says.
/// </summary>
internal sealed class UserGrants(OidcOptions options)
{
    public Result<UserGrant> Of(TokenClaims claims)
    {
        OidcGroup everybody = options.Everybody;
        OidcGroup[] own = [.. options.NamedGroups.Where(group => ClaimsOf(group.Group).Any(claim => claims.ValuesOf(claim).Contains(group.Value, ClaimValues.Comparer))).Select(group => group.Group)];
        Permissions permissions = PermissionsOf(
            claims.ValuesOf(options.RoleClaim).Select(role => options.Roles.TryGetValue(role, out string? name) ? name : null).Concat(own.Select(group => group.Role)));
        // A group that is not told of may have less than everybody; beside one that is told of it could only have given more.
        if ((own.Length == 0 || permissions == Permissions.None) && FindLeftOut(claims) is { } missing)
            return Denied($"the token leaves out '{missing}', as its user has too many for it, so what they may here cannot be told; have the issuer put those alone into it that are assigned to this application, or app roles");
        if (permissions == Permissions.None)
            permissions = PermissionsOf([options.DefaultRole]);
        if (permissions == Permissions.None)
            return Denied("the token has no role here");
        // Who can copy a model onto another name is not held by a list of names.
        bool hasAllModels = (permissions & Permissions.ManageModels) != 0;
        if (own.Length == 0)
            own = [everybody];
        return new UserGrant(permissions, hasAllModels ? ModelAllowList.All : ModelsOf(own, everybody), LimitsOf(own, everybody));
    }

    private IEnumerable<string> ClaimsOf(OidcGroup group) => group.Claim is { } one ? [one] : options.GrantClaims;

    private string? FindLeftOut(TokenClaims claims) => options.NamedGroups.SelectMany(group => ClaimsOf(group.Group)).FirstOrDefault(claims.IsLeftOut);

    private static ApiError Denied(string why) => new(StatusCodes.Status403Forbidden, why);

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

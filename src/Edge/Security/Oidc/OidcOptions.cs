using System.ComponentModel.DataAnnotations;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.Diagnostics;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>Tokens of an OpenID Connect issuer, Entra among them; from the configuration section <c>OllamaMax:Oidc</c>. Off without an authority.</summary>
public sealed class OidcOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Oidc";

    private const string Default = "Default";

    /// <summary>Standard claims whose values people change or leave to others (OpenID Connect Core, section 5.7), and Entra's.</summary>
    private static readonly string[] Names = ["email", "preferred_username", "name", "nickname", "given_name", "family_name", "phone_number", "upn", "unique_name", "verified_primary_email"];

    private static readonly string[] Supported =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>The issuer, as it stands in <c>iss</c>: what <c>/.well-known/openid-configuration</c> is below. https, or http on this machine.</summary>
    public Uri? Authority { get; set; }

    /// <summary>What must be in <c>aud</c>.</summary>
    public string? Audience { get; set; }

    /// <summary>The algorithms that are taken, of RS, PS and ES with 256, 384 and 512; empty: RS256, PS256 and ES256.</summary>
    public IList<string> Algorithms { get; } = [];

    /// <summary>How far the issuer's clock and this one may be apart.</summary>
    [TimeSpanRange("00:00:00", "00:10:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>The claim that says who it is, for limits, usage and audit: one that no other person is ever given.</summary>
    [Required]
    public string SubjectClaim { get; set; } = "sub";

    /// <summary>The claim with what people call them, shown beside the subject in audit and usage; nothing hangs on it.</summary>
    [Required]
    public string NameClaim { get; set; } = "preferred_username";

    /// <summary>The claim with what <see cref="Roles"/> speaks of.</summary>
    [Required]
    public string RoleClaim { get; set; } = "roles";

    /// <summary>Roles here, by the claim's values: <c>OllamaMax:Oidc:Roles:Model.Admin=operator</c>.</summary>
    public IDictionary<string, string> Roles { get; } = new Dictionary<string, string>(ClaimValues.Comparer);

    /// <summary>The claim with the groups, which <see cref="Groups"/> speaks of as well as of roles.</summary>
    [Required]
    public string GroupClaim { get; set; } = "groups";

    /// <summary>
    /// Roles, models and limits of users, by a value of the role or group claim; <c>Default</c> is for all of them, where their groups say nothing else:
    /// <c>OllamaMax:Oidc:Groups:Default:TokensPerDay=200000</c>.
    /// </summary>
    public IDictionary<string, OidcGroup> Groups { get; } = new Dictionary<string, OidcGroup>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The role of a token whose claims give none; null: it may nothing.</summary>
    public string? DefaultRole { get; set; }

    /// <summary>The claim with the tenant.</summary>
    [Required]
    public string TenantClaim { get; set; } = "tid";

    /// <summary>The tenant of tokens without <see cref="TenantClaim"/>.</summary>
    [Required]
    public string Tenant { get; set; } = "oidc";

    /// <summary>The claims whose values <see cref="Groups"/> speaks of, unless one of them says which.</summary>
    internal IEnumerable<string> GrantClaims => [RoleClaim, GroupClaim];

    internal OidcGroup Everybody => Groups.TryGetValue(Default, out OidcGroup? everybody) ? everybody : new();

    internal IEnumerable<(string Value, OidcGroup Group)> NamedGroups =>
        Groups.Where(entry => !IsDefault(entry.Key)).Select(entry => (entry.Value.Value ?? entry.Key, entry.Value));

    internal bool IsOn => Authority is not null;

    internal IReadOnlyList<string> TakenAlgorithms =>
        Algorithms.Count > 0 ? [.. Algorithms] : [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Authority is not null && !IsSafe(Authority))
            yield return new($"{Section}:Authority must be an https URL, or an http one of this machine");
        if (Authority is not null && string.IsNullOrEmpty(Audience))
            yield return new($"{Section}:Audience is missing: any other service's tokens of the same issuer would be taken");
        if (Names.Contains(SubjectClaim))
            yield return new($"{Section}:SubjectClaim: '{SubjectClaim}' can be given to another person, who would have the first one's limits and usage; use sub, or oid with Entra");
        foreach (string algorithm in Algorithms.Except(Supported))
            yield return new($"{Section}:Algorithms: '{algorithm}' is not one of {string.Join(", ", Supported)}");
        foreach (string role in Roles.Values.Append(DefaultRole).Concat(Groups.Values.Select(group => group.Role)).OfType<string>().Where(role => OllamaMax.Security.Roles.Find(role) is null))
            yield return new($"{Section}: '{role}' is no role; there are {string.Join(", ", OllamaMax.Security.Roles.Names)}");
        foreach (ValidationResult error in Groups.SelectMany(group => ErrorsOf(group.Key, group.Value)))
            yield return error;
    }

    private static IEnumerable<ValidationResult> ErrorsOf(string name, OidcGroup group)
    {
        string part = $"{Section}:Groups:{name}";
        foreach (ValidationResult error in group.Errors(part))
            yield return error;
        foreach (string error in group.Models.Select(ModelAllowList.FindError).OfType<string>())
            yield return new($"{part}:Models: {error}");
        if (group.Value is "" || group.Claim is "")
            yield return new($"{part}: Value and Claim must not be empty");
        if (IsDefault(name) && (group.Value ?? group.Claim ?? group.Role) is not null)
            yield return new($"{part} is for all users and has no Value and no Claim; their role is {Section}:{nameof(DefaultRole)}");
    }

    private static bool IsDefault(string name) => string.Equals(name, Default, StringComparison.OrdinalIgnoreCase);

    internal static bool IsSafe(Uri address) =>
        address.IsAbsoluteUri && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));
}

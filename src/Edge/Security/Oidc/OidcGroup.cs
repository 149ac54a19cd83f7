using OllamaMax.Edge.Security.Limits;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>What each of the issuer's users may and has whose token names a group or a role of theirs; limits are each user's own.</summary>
public sealed class OidcGroup : LimitSettings
{
    /// <summary>As it stands in the token's claim; null: the entry's name. Names of settings cannot have all characters everywhere.</summary>
    public string? Value { get; set; }

    /// <summary>The one claim that it counts in; null: the role claim and the group claim.</summary>
    public string? Claim { get; set; }

    /// <summary>The role here; null: it gives none.</summary>
    public string? Role { get; set; }

    /// <summary>Models that its users may use, names or beginnings that end in <c>*</c>; empty: as the entry for everybody says, or all.</summary>
    public IList<string> Models { get; } = [];
}

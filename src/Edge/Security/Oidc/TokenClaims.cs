using System.Security.Claims;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>
/// What a token says of its user. What stands elsewhere, as it had no room in the token, is not fetched, but known to be missing: <c>_claim_names</c>
/// (https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims), and Entra's <c>hasgroups</c>
/// (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference#groups-overage-claim).
/// </summary>
internal sealed class TokenClaims(IEnumerable<Claim> claims)
{
    private const string Groups = "groups";

    private readonly ILookup<string, Claim> _claims = claims.ToLookup(claim => claim.Type, StringComparer.Ordinal);

    public IReadOnlyList<string> ValuesOf(string claim) => [.. _claims[claim].Select(one => one.Value)];

    public bool IsLeftOut(string claim) => _claims["_claim_names"].Any(names => Names(names, claim)) || (claim == Groups && ValuesOf("hasgroups").Any(IsTrue));

    private static bool Names(Claim names, string claim)
    {
        if (names.ValueType != JsonClaimValueTypes.Json)
            return false;
        using JsonDocument json = JsonDocument.Parse(names.Value);
        return json.RootElement.TryGetProperty(claim, out _);
    }

    private static bool IsTrue(string value) => string.Equals(value, "true", StringComparison.OrdinalIgnoreCase);
}

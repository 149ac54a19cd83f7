namespace OllamaMax.Edge.Security.Oidc;

/// <summary>
/// Which values of claims are the same. Ids in the form of a GUID are in any case: portals, scripts and tokens write Entra's differently. Names are exactly: an issuer may have two that
/// differ in case alone, and a group that somebody names so must not be the other.
/// </summary>
internal sealed class ClaimValues : IEqualityComparer<string>
{
    public static readonly ClaimValues Comparer = new();

    private ClaimValues()
    {
    }

    public bool Equals(string? x, string? y) => string.Equals(x, y, ComparisonOf(x));

    public int GetHashCode(string value) => value.GetHashCode(ComparisonOf(value));

    private static StringComparison ComparisonOf(string? value) => Guid.TryParseExact(value, "D", out _) ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
}

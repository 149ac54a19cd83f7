using System.Globalization;

namespace OllamaMax.Storage.Jobs;

/// <summary>What a blob's metadata say of whose it is and how long it lasts, so that a listing tells.</summary>
internal static class BlobTerms
{
    private const string Tenant = "tenant";
    private const string Expires = "expires";

    public static Dictionary<string, string> Write(string tenant, DateTimeOffset expiresAt) => new()
    {
        [Tenant] = Uri.EscapeDataString(tenant),
        [Expires] = expiresAt.ToString("O", CultureInfo.InvariantCulture),
    };

    /// <summary>Null where they do not say.</summary>
    public static string? TenantOf(IDictionary<string, string> metadata) =>
        metadata.TryGetValue(Tenant, out string? text) ? Uri.UnescapeDataString(text) : null;

    /// <summary>Null where they do not say.</summary>
    public static DateTimeOffset? ExpiryOf(IDictionary<string, string> metadata) =>
        metadata.TryGetValue(Expires, out string? text)
            && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset expiresAt)
            ? expiresAt
            : null;
}

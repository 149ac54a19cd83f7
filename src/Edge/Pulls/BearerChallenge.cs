using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace OllamaMax.Edge.Pulls;

/// <summary>Where a registry sends those who come without a token (https://distribution.github.io/distribution/spec/auth/token/).</summary>
/// <param name="Realm">The URL that gives tokens.</param>
/// <param name="Service">Whom the token is for.</param>
/// <param name="Scope">What it is for.</param>
internal sealed partial record BearerChallenge(Uri Realm, string? Service, string? Scope)
{
    /// <summary>The address that answers with a token.</summary>
    public Uri Address
    {
        get
        {
            IEnumerable<string> query = new (string Name, string? Value)[] { ("service", Service), ("scope", Scope) }
                .Where(one => one.Value is not null)
                .Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}");
            UriBuilder address = new(Realm);
            address.Query = string.Join('&', query.Prepend(address.Query.TrimStart('?')).Where(part => part.Length > 0));
            return address.Uri;
        }
    }

    /// <summary>Null where no bearer token is asked for, or nothing says where it is had.</summary>
    public static BearerChallenge? Find(HttpResponseMessage response)
    {
        foreach (AuthenticationHeaderValue header in response.Headers.WwwAuthenticate)
        {
            if (!string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
                continue;
            Dictionary<string, string> parameters = new(StringComparer.OrdinalIgnoreCase);
            foreach (Match match in Parameter.Matches(header.Parameter ?? ""))
                parameters[match.Groups["name"].Value] = match.Groups["value"].Value;
            if (parameters.TryGetValue("realm", out string? realm) && Uri.TryCreate(response.RequestMessage!.RequestUri!, realm, out Uri? address))
                return new(address, parameters.GetValueOrDefault("service"), parameters.GetValueOrDefault("scope"));
        }
        return null;
    }

    [GeneratedRegex("""(?<name>[A-Za-z]+)\s*=\s*(?:"(?<value>[^"]*)"|(?<value>[^\s,"]+))""", RegexOptions.CultureInvariant)]
    private static partial Regex Parameter { get; }
}

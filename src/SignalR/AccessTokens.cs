using System.Collections.Concurrent;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace OllamaMax.SignalR;

/// <summary>
/// Issues the tokens that the SignalR service takes: JWTs, HS256 with the access key, whose <c>aud</c> is the URL they open
/// (https://learn.microsoft.com/azure/azure-signalr/signalr-reference-data-plane-rest-api#authenticate-via-accesskey-in-azure-signalr-service).
/// </summary>
internal sealed class AccessTokens(SignalRConnectionString connection, TimeProvider time)
{
    private const int MaxCached = 4096;

    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly ConcurrentDictionary<(string Audience, TimeSpan ValidFor), AccessToken> _cache = new();
    private readonly SigningCredentials _credentials =
        new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(connection.AccessKey)), SecurityAlgorithms.HmacSha256);

    /// <summary>A token for one URL of the data plane, valid for at least <paramref name="validFor"/> and at most twice as long; cached.</summary>
    public AccessToken ForUrl(string url, TimeSpan validFor)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (_cache.TryGetValue((url, validFor), out AccessToken? cached) && cached.ExpiresAt - now >= validFor)
            return cached;
        AccessToken fresh = Issue(url, user: null, now + 2 * validFor);
        if (_cache.Count >= MaxCached)
            Trim(now);
        _cache[(url, validFor)] = fresh;
        return fresh;
    }

    /// <summary>A token with which <paramref name="user"/> connects to the client URL <paramref name="url"/>.</summary>
    public AccessToken ForClient(string url, string user, TimeSpan validFor) => Issue(url, user, time.GetUtcNow() + validFor);

    private AccessToken Issue(string audience, string? user, DateTimeOffset expiresAt)
    {
        // No nbf: a service whose clock is a little behind would refuse what is perfectly good.
        SecurityTokenDescriptor descriptor = new()
        {
            Audience = audience,
            Expires = expiresAt.UtcDateTime,
            SigningCredentials = _credentials,
        };
        if (user is not null)
            descriptor.Claims = new Dictionary<string, object> { [JwtRegisteredClaimNames.NameId] = user };
        // A JWT counts whole seconds, and so must whoever looks at the expiry.
        return new(_handler.CreateToken(descriptor), DateTimeOffset.FromUnixTimeSeconds(expiresAt.ToUnixTimeSeconds()));
    }

    private void Trim(DateTimeOffset now)
    {
        foreach (var (key, token) in _cache)
        {
            if (token.ExpiresAt - now < key.ValidFor)
                _cache.TryRemove(key, out _);
        }
        // All of them good: the cache is a saving, not a promise.
        if (_cache.Count >= MaxCached)
            _cache.Clear();
    }
}

internal sealed record AccessToken(string Value, DateTimeOffset ExpiresAt);

using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>
/// Checks tokens: HS256 with the access key, not expired. What was good once is remembered, so that the signature is not computed
/// for each message. Whether a token is for the URL called is the caller's question.
/// </summary>
internal sealed class SurfaceTokens(string accessKey, TimeProvider time)
{
    private const int MaxRemembered = 4096;

    // The claim that the service's documentation names, and the one that Microsoft's own SDKs issue.
    private static readonly string[] s_userClaims = [JwtRegisteredClaimNames.NameId, "asrs.s.uid"];

    private readonly JsonWebTokenHandler _handler = new();
    private readonly ConcurrentDictionary<string, SurfaceToken> _good = new();
    private readonly TokenValidationParameters _parameters = new()
    {
        IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(accessKey)),
        ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
        ValidateIssuer = false,
        ValidateAudience = false,
        // Looked at each time below, by the injected clock.
        ValidateLifetime = false,
        RequireExpirationTime = true,
    };

    /// <returns>Null: not one of ours, or expired.</returns>
    public async ValueTask<SurfaceToken?> CheckAsync(string token)
    {
        if (!_good.TryGetValue(token, out SurfaceToken? good))
        {
            TokenValidationResult result = await _handler.ValidateTokenAsync(token, _parameters);
            if (!result.IsValid || ((JsonWebToken)result.SecurityToken) is not { ValidTo.Ticks: > 0 } jwt)
                return null;
            good = Read(jwt);
            Remember(token, good);
        }
        return time.GetUtcNow() < good.ExpiresAt ? good : null;
    }

    private static SurfaceToken Read(JsonWebToken jwt)
    {
        string? user = s_userClaims
            .Select(name => jwt.TryGetPayloadValue(name, out string? value) ? value : null)
            .FirstOrDefault(value => !string.IsNullOrEmpty(value));
        ClaimsIdentity identity = new(SurfaceAuthentication.Scheme);
        if (user is not null)
            identity.AddClaim(new(ClaimTypes.NameIdentifier, user));
        return new([.. jwt.Audiences], new(identity), new(jwt.ValidTo, TimeSpan.Zero));
    }

    private void Remember(string token, SurfaceToken good)
    {
        if (_good.Count >= MaxRemembered)
            _good.Clear();
        _good[token] = good;
    }
}

/// <param name="Audiences">The URLs that it opens; one, as a rule.</param>
/// <param name="Principal">Its user, without a name claim where it has none.</param>
/// <param name="ExpiresAt">From then on it is refused.</param>
internal sealed record SurfaceToken(string[] Audiences, ClaimsPrincipal Principal, DateTimeOffset ExpiresAt);

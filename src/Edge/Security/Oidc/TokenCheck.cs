using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Oidc;

/// <summary>JSON Web Tokens of the configured issuer: signed by one of its keys, with an algorithm that is taken, for this audience, and of now.</summary>
internal sealed class TokenCheck(IssuerKeys issuers, IOptions<OidcOptions> options, CredentialNames names, TimeProvider time) : ICredentialCheck
{
    private const int LongestSubject = 200;
    private const int LongestName = 100;

    private static readonly ApiError Unreachable =
        new(StatusCodes.Status503ServiceUnavailable, "whose the token is cannot be found out now; try again later") { RetryAfter = TimeSpan.FromSeconds(5) };

    private readonly OidcOptions _options = options.Value;
    private readonly UserGrants _grants = new(options.Value);
    private readonly IReadOnlyList<string> _algorithms = options.Value.TakenAlgorithms;
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };

    public bool Takes(string key) => _options.IsOn && key.AsSpan().Count('.') == 2 && key.StartsWith("ey", StringComparison.Ordinal);

    public async ValueTask<Result<Principal>> CheckAsync(string key, CancellationToken cancellationToken)
    {
        if (Read(key) is not { } token)
            return Refused("is not well formed");
        // Before anything is asked for its sake: a made-up token must not have the issuer asked.
        if (!_algorithms.Contains(token.Alg))
            return Refused("is not signed with an algorithm that is taken");
        if (await issuers.GetAsync(token.Kid is { Length: > 0 } kid ? kid : null, cancellationToken) is not { } issuer)
            return Unreachable;
        TokenValidationResult result = await _handler.ValidateTokenAsync(token, Parameters(issuer));
        return result.IsValid ? PrincipalOf(token) : Refused(Reason(result.Exception));
    }

    private static JsonWebToken? Read(string text)
    {
        try
        {
            return new(text);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or JsonException or SecurityTokenException)
        {
            return null;
        }
    }

    private TokenValidationParameters Parameters(KnownIssuer issuer) => new()
    {
        ValidIssuer = issuer.Issuer,
        ValidAudience = _options.Audience,
        IssuerSigningKeys = issuer.Keys,
        ValidAlgorithms = _algorithms,
        RequireSignedTokens = true,
        LifetimeValidator = (from, until, _, _) => IsCurrent(from, until),
    };

    private bool IsCurrent(DateTime? from, DateTime? until)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return until > now - _options.ClockSkew && !(from > now + _options.ClockSkew);
    }

    private Result<Principal> PrincipalOf(JsonWebToken token)
    {
        string tenant = token.TryGetPayloadValue(_options.TenantClaim, out string? claimed) && claimed is { Length: > 0 } ? claimed : _options.Tenant;
        TokenClaims claims = new(token.Claims);
        if (!KeyRequest.IsTenant(tenant) || claims.ValuesOf(_options.SubjectClaim) is not [{ Length: > 0 and <= LongestSubject } subject])
            return Refused("names no subject or tenant that can be used");
        if (_grants.Of(claims).Failed(out ApiError? error, out UserGrant? grant))
            return error;
        string credential = CredentialOf(subject);
        string? name = NameOf(claims);
        if (name is not null)
            names.Note(tenant, credential, name);
        return new Principal(tenant, subject, grant.Permissions) { Credential = credential, DisplayName = name, Models = grant.Models, Limits = grant.Limits };
    }

    /// <summary>Where users choose what they are called, none must use up the limits of a key by its id.</summary>
    private static string CredentialOf(string subject) => ApiKey.IsId(subject) ? $"user:{subject}" : subject;

    /// <summary>Users may choose it: it must not write over a terminal that shows it.</summary>
    private string? NameOf(TokenClaims claims) => claims.ValuesOf(_options.NameClaim) is [{ Length: > 0 and <= LongestName } name] && !name.Any(char.IsControl) ? name : null;

    private static string Reason(Exception? exception) => exception switch
    {
        SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException => "has expired, or is not yet valid",
        SecurityTokenInvalidAudienceException => "is for another audience",
        SecurityTokenInvalidIssuerException => "is of another issuer",
        _ => "is not signed by its issuer",
    };

    private static ApiError Refused(string why) => new(StatusCodes.Status401Unauthorized, $"unauthorized: the token {why}");
}

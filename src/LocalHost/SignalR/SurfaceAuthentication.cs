using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>
/// Lets in who brings a token for exactly the URL that is called: for clients <c>…/client/?hub=</c>, for the data plane the
/// request's URL without its query. The token comes as a bearer, or in the query where a browser cannot set headers.
/// </summary>
internal sealed class SurfaceAuthentication(
    SurfaceTokens tokens, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public new const string Scheme = "SignalRSurface";
    private const string Bearer = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (ReadToken() is not { } text)
            return AuthenticateResult.NoResult();
        if (await tokens.CheckAsync(text) is not { } token)
            return AuthenticateResult.Fail("The token is not signed with the access key, or has expired.");
        if (!token.Audiences.Contains(ExpectedAudience(), StringComparer.Ordinal))
            return AuthenticateResult.Fail("The token is for another URL.");
        return AuthenticateResult.Success(new(token.Principal, Scheme));
    }

    private string? ReadToken()
    {
        string? header = Request.Headers.Authorization;
        if (header is not null)
            return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : null;
        return Request.Query.TryGetValue("access_token", out var query) && query is [{ Length: > 0 } token] ? token : null;
    }

    private string ExpectedAudience()
    {
        string origin = $"{Request.Scheme}://{Request.Host}";
        return Request.Path.StartsWithSegments("/client")
            ? $"{origin}/client/?hub={Request.Query["hub"]}"
            : origin + RawPath(Context);
    }

    /// <summary>The path as it came, escapes and all: the audience was made from the same text.</summary>
    internal static string RawPath(HttpContext context)
    {
        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }
}

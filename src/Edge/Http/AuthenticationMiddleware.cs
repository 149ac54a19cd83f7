using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OllamaMax.Edge.Security;
using OllamaMax.Security;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Finds the request's principal and checks it against the endpoint's <see cref="RequiredPermission"/>. Endpoints marked
/// <see cref="IAllowAnonymous"/> are let through; one that says neither is nobody's. Where callers on this machine are trusted, one of them without a key is
/// somebody too, and so is one with a key of none of the kinds that are checked: clients that want a key are given any.
/// </summary>
internal sealed class AuthenticationMiddleware(RequestDelegate next, IEnumerable<ICredentialCheck> checks, IOptions<EdgeOptions> options)
{
    public static readonly ApiError KeyUnknown = new(StatusCodes.Status401Unauthorized, "unauthorized: the key is not known");

    private static readonly ApiError KeyMissing = new(StatusCodes.Status401Unauthorized, $"unauthorized: send a key, as Authorization: Bearer or {RequestKey.Header}");
    private static readonly Principal Local = new("local", "local", Permissions.All);

    private readonly ICredentialCheck[] _checks = [.. checks];

    public async Task InvokeAsync(HttpContext context)
    {
        Endpoint? endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            RequestInfo.Of(context).Principal = FindWithoutKey(context);
            await next(context);
        }
        else if (RequestKey.Read(context, out RequestKey? key) is { } malformed)
        {
            await RefuseAsync(context, malformed);
        }
        else if ((await FindAsync(context, key)).Failed(out ApiError? error, out Principal? principal))
        {
            await RefuseAsync(context, error);
        }
        else
        {
            RequestInfo.Of(context).Principal = principal;
            if (Denial(endpoint, principal) is { } denial)
                await RefuseAsync(context, denial);
            else
                await next(context);
        }
    }

    /// <summary>What routing answers itself, a 404 or a 405, is no endpoint of ours and needs no more than to be somebody.</summary>
    private static ApiError? Denial(Endpoint? endpoint, Principal principal)
    {
        if (endpoint is not RouteEndpoint)
            return null;
        return endpoint.Metadata.GetMetadata<RequiredPermission>() is not { Permissions: var needed }
            ? new(StatusCodes.Status403Forbidden, "nobody may do this")
            : principal.May(needed) ? null : new(StatusCodes.Status403Forbidden, $"permission {needed & ~principal.Permissions} is missing");
    }

    private static Task RefuseAsync(HttpContext context, ApiError error)
    {
        if (error.Status == StatusCodes.Status401Unauthorized)
            context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return ErrorAnswer.WriteAsync(context, error);
    }

    private async ValueTask<Result<Principal>> FindAsync(HttpContext context, RequestKey? key)
    {
        if (context.Features.Get<Principal>() is { } given)
            return given;
        if (key is not null && Array.Find(_checks, check => check.Takes(key.Value)) is { } check)
            return await check.CheckAsync(key.Value, context.RequestAborted);
        return FindWithoutKey(context) is { } local ? local : key is null ? KeyMissing : KeyUnknown;
    }

    /// <summary>Who stands before the edge in its own process may have found it already, and left it as a feature.</summary>
    private Principal? FindWithoutKey(HttpContext context) => context.Features.Get<Principal>() ?? FindLocal(context);

    private Principal? FindLocal(HttpContext context) =>
        options.Value.TrustLoopback && context.Connection.RemoteIpAddress is { } from && IPAddress.IsLoopback(from) ? Local : null;
}

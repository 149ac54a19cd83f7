using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Security;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Finds the request's principal and checks it against the endpoint's <see cref="RequiredPermission"/>. Endpoints marked
/// <see cref="IAllowAnonymous"/> are let through. Keys are read and nothing more: until some are given out, only callers on this machine are somebody,
/// whatever key they send, as clients that want one are given any.
/// </summary>
internal sealed class AuthenticationMiddleware(RequestDelegate next, IOptions<EdgeOptions> options)
{
    private static readonly ApiError KeyMissing = new(401, $"unauthorized: send a key, as Authorization: Bearer or {RequestKey.Header}");
    private static readonly ApiError KeyUnknown = new(401, "unauthorized: the key is not known");
    private static readonly Principal Local = new("local", "local", Permissions.All);

    public Task InvokeAsync(HttpContext context)
    {
        Endpoint? endpoint = context.GetEndpoint();
        Principal? principal = Find(context);
        RequestInfo.Of(context).Principal = principal;
        if (endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return next(context);
        if (RequestKey.Read(context, out RequestKey? key) is { } malformed)
            return ErrorAnswer.WriteAsync(context, malformed);
        if (principal is null)
            return ErrorAnswer.WriteAsync(context, key is null ? KeyMissing : KeyUnknown);
        Permissions needed = endpoint?.Metadata.GetMetadata<RequiredPermission>()?.Permissions ?? Permissions.None;
        return principal.May(needed) ? next(context) : ErrorAnswer.WriteAsync(context, new(403, $"permission {needed} is missing"));
    }

    /// <summary>Who stands before the edge in its own process may have found it already, and left it as a feature.</summary>
    private Principal? Find(HttpContext context) => context.Features.Get<Principal>() ?? FindLocal(context);

    private Principal? FindLocal(HttpContext context) =>
        options.Value.TrustLoopback && context.Connection.RemoteIpAddress is { } from && IPAddress.IsLoopback(from) ? Local : null;
}

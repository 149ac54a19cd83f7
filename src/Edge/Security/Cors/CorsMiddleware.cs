using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Security.Cors;

/// <summary>
/// Lets pages of configured origins call and read answers (https://fetch.spec.whatwg.org/#http-cors-protocol); to all others no header says that they may. Keys
/// are sent by the page itself, never by the browser: there are no credentials in the protocol's sense. Where callers on this machine need no key, no page is let in.
/// </summary>
internal sealed class CorsMiddleware(RequestDelegate next, IOptions<CorsOptions> options, IOptions<EdgeOptions> edge)
{
    private const string Methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
    private const string Exposed = $"{RequestIdMiddleware.Header}, {ModelHeader.Name}, {IdempotencyKey.ReplayHeader}, ETag, Retry-After, " +
        "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens";

    private readonly HashSet<string> _origins = edge.Value.TrustLoopback ? [] : new(options.Value.Origins, StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers.Origin is not [{ Length: > 0 } origin] || !_origins.Contains(origin))
            return next(context);
        context.Features.Set(new AllowedOrigin());
        IHeaderDictionary headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.Vary = "Origin";
        if (!HttpMethods.IsOptions(context.Request.Method) || context.Request.Headers.AccessControlRequestMethod.Count == 0)
        {
            headers.AccessControlExposeHeaders = Exposed;
            return next(context);
        }
        headers.AccessControlAllowMethods = Methods;
        headers.AccessControlAllowHeaders = context.Request.Headers.AccessControlRequestHeaders;
        headers.AccessControlMaxAge = "600";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}

/// <summary>The request's origin is one that was configured; a feature of its HttpContext.</summary>
internal sealed class AllowedOrigin;

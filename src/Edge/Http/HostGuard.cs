using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Security.Cors;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Keeps web pages away from an edge that trusts its own machine: a name that an attacker points at 127.0.0.1 (DNS rebinding)
/// stands in the Host header, a foreign page's address in Origin.
/// </summary>
internal sealed class HostGuard(RequestDelegate next, IOptions<EdgeOptions> options)
{
    private readonly bool _isOff = options.Value.AllowedHosts.Contains("*");
    private readonly HashSet<string> _allowed = new(options.Value.AllowedHosts, StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        if (_isOff)
            return next(context);
        if (context.Request.Host is { HasValue: true } host && !IsAllowed(host.Host))
            return ErrorAnswer.WriteAsync(context, new(403, $"host '{host.Host}' is not allowed"));
        string? origin = context.Request.Headers.Origin;
        if (origin is { Length: > 0 } && context.Features.Get<AllowedOrigin>() is null && !IsAllowedOrigin(origin))
            return ErrorAnswer.WriteAsync(context, new(403, $"origin '{origin}' is not allowed"));
        return next(context);
    }

    private bool IsAllowed(string host) =>
        _allowed.Contains(host) || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>Apps with a scheme of their own (<c>vscode-webview://</c>, <c>app://</c>) are programs on this machine, not web pages.</summary>
    private bool IsAllowedOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && (!uri.Scheme.StartsWith("http", StringComparison.Ordinal) || IsAllowed(uri.Host));
}

using System.Net;

namespace OllamaMax.Cli;

/// <summary>An answer of the edge that is no success, or none at all.</summary>
/// <param name="message">For people; the edge's own words where it has some.</param>
/// <param name="status">Null: nobody answered.</param>
internal sealed class EdgeException(string message, HttpStatusCode? status, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the same call may do better in a while.</summary>
    public bool MayPass => status is null or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>Whether the edge may have done what was asked, or be doing it: nobody says that it was not.</summary>
    public bool MayHaveArrived => status switch
    {
        null => InnerException is not HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError },
        HttpStatusCode.Conflict or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout => true,
        _ => false,
    };

    public int ExitCode => status switch
    {
        null => Cli.ExitCode.Unreachable,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Cli.ExitCode.Denied,
        HttpStatusCode.NotFound => Cli.ExitCode.NotFound,
        HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests => Cli.ExitCode.Busy,
        _ => Cli.ExitCode.Failed,
    };
}

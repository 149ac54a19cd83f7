using System.Net;

namespace OllamaMax.Cli;

/// <summary>An answer of the edge that is no success, or none at all.</summary>
/// <param name="message">For people; the edge's own words where it has some.</param>
/// <param name="status">Null: nobody answered.</param>
internal sealed class EdgeException(string message, HttpStatusCode? status, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the same call may do better in a while.</summary>
    public bool MayPass => status is null or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    public int ExitCode => status switch
    {
        null => Cli.ExitCode.Unreachable,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Cli.ExitCode.Denied,
        HttpStatusCode.NotFound => Cli.ExitCode.NotFound,
        HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests => Cli.ExitCode.Busy,
        _ => Cli.ExitCode.Failed,
    };
}

using System.Net;

namespace OllamaMax.SignalR;

/// <summary>What became of a call to the data plane. None of them says that a client has received anything.</summary>
public abstract record SendOutcome
{
    private SendOutcome()
    {
    }

    /// <summary>The service has taken it (2xx).</summary>
    public sealed record Sent : SendOutcome
    {
        internal static Sent Instance { get; } = new();
    }

    /// <summary>Too many (429): not taken, worth a retry after the time given, 1 s where the service names none.</summary>
    public sealed record Throttled(TimeSpan RetryAfter) : SendOutcome;

    /// <summary>Any other status: not taken. 401 and 403 ask for another token, 413 for a smaller message, 5xx for patience.</summary>
    /// <param name="Status">HTTP status.</param>
    /// <param name="Detail">Start of the service's answer, for people.</param>
    public sealed record Failed(HttpStatusCode Status, string Detail) : SendOutcome;

    /// <summary>No answer: it may or may not have been taken.</summary>
    public sealed record Unreachable(string Detail) : SendOutcome;
}

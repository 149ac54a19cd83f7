using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Http;

/// <summary>
/// How long a server lets a request last, as a feature of its context where there is such a limit. A limit that is reached cancels <see cref="HttpContext.RequestAborted"/>, as a
/// client's leaving does: this tells them apart.
/// </summary>
/// <param name="length">The limit.</param>
/// <param name="reached">Cancelled then.</param>
/// <param name="left">Cancelled when the client has left.</param>
public sealed class RequestLimit(TimeSpan length, CancellationToken reached, CancellationToken left)
{
    /// <summary>Of the request, where it is over for that and its client still there; otherwise null.</summary>
    public static TimeSpan? ReachedBy(HttpContext context) => context.Features.Get<RequestLimit>() is { IsReached: true } limit ? limit.Length : null;

    /// <summary>Lets a request that has reached its limit say a last word: only the client's leaving cancels that.</summary>
    internal static void Lift(HttpContext context)
    {
        if (context.Features.Get<RequestLimit>() is { } limit)
            context.RequestAborted = limit.Left;
    }

    private TimeSpan Length => length;

    private CancellationToken Left => left;

    private bool IsReached => reached.IsCancellationRequested && !left.IsCancellationRequested;
}

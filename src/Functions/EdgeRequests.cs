using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using OllamaMax.Edge.Http;

namespace OllamaMax.Functions;

/// <summary>
/// Runs the edge's pipeline on a request that the function app's own routing has already matched, to its one catch-all
/// function. The edge routes by itself, so it must not see that match; the function app needs it again afterwards.
/// </summary>
public sealed class EdgeRequests(RequestDelegate pipeline, TimeProvider time)
{
    /// <summary>
    /// What a request may take. When host.json's functionTimeout has passed, the host ends the whole process, and with it the streams of everybody else:
    /// a request ends before. To most of the edge it looks as if the client had left; what tells the two apart knows it by <see cref="RequestLimit"/>.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(25);

    public async Task HandleAsync(HttpContext context)
    {
        CancellationToken left = context.RequestAborted;
        using CancellationTokenSource limit = new(Limit, time);
        using CancellationTokenSource aborted = CancellationTokenSource.CreateLinkedTokenSource(left, limit.Token);
        context.RequestAborted = aborted.Token;
        context.Features.Set(new RequestLimit(Limit, limit.Token, left));
        Endpoint? outerEndpoint = context.GetEndpoint();
        IRouteValuesFeature? outerValues = context.Features.Get<IRouteValuesFeature>();
        context.SetEndpoint(null);
        context.Features.Set<IRouteValuesFeature>(new RouteValuesFeature());
        try
        {
            // What goes wrong inside becomes an answer in the API's shape there. Should something get past that, the host turns it
            // into an empty 500: there is nothing better left to say here.
            await pipeline(context);
        }
        finally
        {
            context.RequestAborted = left;
            context.SetEndpoint(outerEndpoint);
            context.Features.Set(outerValues);
        }
    }
}

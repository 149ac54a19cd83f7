using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace OllamaMax.Functions;

/// <summary>
/// Runs the edge's pipeline on a request that the function app's own routing has already matched, to its one catch-all
/// function. The edge routes by itself, so it must not see that match; the function app needs it again afterwards.
/// </summary>
public sealed class EdgeRequests(RequestDelegate pipeline)
{
    public async Task HandleAsync(HttpContext context)
    {
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
            context.SetEndpoint(outerEndpoint);
            context.Features.Set(outerValues);
        }
    }
}

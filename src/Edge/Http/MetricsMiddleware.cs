using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Http;

/// <summary>Counts and times every request, also those that fail.</summary>
internal sealed class MetricsMiddleware(RequestDelegate next, RequestMetrics metrics)
{
    public async Task InvokeAsync(HttpContext context)
    {
        metrics.Begun();
        try
        {
            await next(context);
        }
        finally
        {
            metrics.Ended(context);
        }
    }
}

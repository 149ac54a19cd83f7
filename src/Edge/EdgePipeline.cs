using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge;

/// <summary>The edge's pipeline, on any application builder: a web application's, or the bare one inside a function.</summary>
public static class EdgePipeline
{
    /// <param name="app">Its services must have <see cref="EdgeServices.AddEdge"/>.</param>
    /// <param name="more">
    /// Further endpoints. They need an authenticated caller unless marked <c>AllowAnonymous</c>, and a
    /// <see cref="RequiredPermission"/> where one stands in their metadata.
    /// </param>
    public static IApplicationBuilder UseEdge(this IApplicationBuilder app, Action<IEndpointRouteBuilder>? more = null)
    {
        IEnumerable<IEndpointGroup> groups = app.ApplicationServices.GetServices<IEndpointGroup>();
        return app
            .UseMiddleware<RequestIdMiddleware>()
            .UseMiddleware<MetricsMiddleware>()
            .UseMiddleware<ErrorMiddleware>()
            .UseMiddleware<HostGuard>()
            .UseRouting()
            .UseMiddleware<AuthenticationMiddleware>()
            .UseEndpoints(endpoints =>
            {
                foreach (IEndpointGroup group in groups)
                    group.Map(endpoints);
                more?.Invoke(endpoints);
            });
    }
}

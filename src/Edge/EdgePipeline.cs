using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Security.Audit;
using OllamaMax.Edge.Security.Cors;
using OllamaMax.Edge.Security.Limits;

namespace OllamaMax.Edge;

/// <summary>The edge's pipeline, on any application builder: a web application's, or the bare one inside a function.</summary>
public static class EdgePipeline
{
    /// <param name="app">Its services must have <see cref="EdgeServices.AddEdge"/>.</param>
    /// <param name="more">
    /// Further endpoints. Each has a <see cref="RequiredPermission"/> in its metadata, or is marked <c>AllowAnonymous</c>: nobody may call one that has neither.
    /// </param>
    public static IApplicationBuilder UseEdge(this IApplicationBuilder app, Action<IEndpointRouteBuilder>? more = null)
    {
        IEnumerable<IEndpointGroup> groups = app.ApplicationServices.GetServices<IEndpointGroup>();
        app.UseMiddleware<RequestIdMiddleware>().UseMiddleware<MetricsMiddleware>().UseMiddleware<ErrorMiddleware>();
        // What these need an edge has with its cluster.
        bool hasCluster = app.ApplicationServices.GetService<LimitBook>() is not null;
        if (hasCluster)
            app.UseMiddleware<AuditMiddleware>().UseMiddleware<CorsMiddleware>();
        app.UseMiddleware<HostGuard>().UseRouting().UseMiddleware<AuthenticationMiddleware>();
        if (hasCluster)
            app.UseMiddleware<LimitsMiddleware>();
        return app.UseEndpoints(endpoints =>
        {
            foreach (IEndpointGroup group in groups)
                group.Map(endpoints);
            more?.Invoke(endpoints);
        });
    }
}

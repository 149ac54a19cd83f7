using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge;

namespace OllamaMax.Functions;

/// <summary>The edge inside an Azure Functions app: the pipeline that Kestrel serves in the local host, behind one function.</summary>
internal static class FunctionsEdge
{
    public static void AddEdge(this FunctionsApplicationBuilder builder)
    {
        // Nobody is trusted for calling from the loopback: every request comes from the Functions host beside us. For that reason a
        // foreign name in the Host header gains nothing, and the app's own names are known to Azure alone.
        builder.Services.AddEdge(edge => edge.AllowedHosts.Add("*"));
        // Kestrel's own limit would cut a body off with an error of its own; the edge has one and answers in the API's shape.
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        builder.Services.AddSingleton(Pipeline);
    }

    /// <summary>A whole application's middleware and routing, without a server of its own.</summary>
    private static EdgeRequests Pipeline(IServiceProvider services)
    {
        ApplicationBuilder app = new(services);
        app.UseEdge();
        RequestDelegate pipeline = app.Build();
        return new(pipeline);
    }
}

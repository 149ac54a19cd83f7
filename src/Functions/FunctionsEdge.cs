using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Diagnostics;
using OllamaMax.Edge;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Jobs;
using OllamaMax.SignalR;
using OllamaMax.Storage;

namespace OllamaMax.Functions;

/// <summary>The edge inside an Azure Functions app: the pipeline that Kestrel serves in the local host, behind one function.</summary>
internal static class FunctionsEdge
{
    /// <summary>The Functions host cuts larger bodies off, without a word in the API's shape.</summary>
    private const long LargestBody = 100_000_000;

    public static void AddEdge(this FunctionsApplicationBuilder builder)
    {
        LogLevels.Set(builder.Logging);
        // A trigger ticks (LeaderFunctions), once a minute. The longest lease there is runs out just before, and is renewed all the same where nobody has taken it.
        // Before the rest, so that settings can say otherwise.
        builder.Services.Configure<ClusterOptions>(cluster =>
        {
            cluster.Ticks = false;
            cluster.LeaseTime = TimeSpan.FromMinutes(1);
        });
        builder.Services
            .AddEdge(edge =>
            {
                Trust(edge, builder.Configuration);
                edge.MaxBlobBytes = LargestBody;
            })
            .AddCluster(
                Storage(builder.Configuration),
                SignalRConnectionString.Parse(Required(builder.Configuration, "AzureSignalRConnectionString")));
        // Kestrel's own limit would cut a body off with an error of its own; the edge has one and answers in the API's shape.
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        builder.Services.AddSingleton(Pipeline);
        // Triggers look after background jobs (JobFunctions): an instance that only serves requests need not.
        builder.Services.Configure<BackgroundOptions>(jobs => jobs.TakesCompletions = false);
    }

    /// <summary>
    /// Every request comes from the Functions host beside us, so the loopback says nothing about who calls. On a developer's machine the
    /// setting <c>OllamaMax:TrustLoopback</c> lets everybody in whom <c>func start</c> lets in; anywhere else it is refused.
    /// </summary>
    private static void Trust(EdgeOptions edge, ConfigurationManager configuration)
    {
        edge.TrustLoopback = configuration.GetValue<bool>("OllamaMax:TrustLoopback");
        if (edge.TrustLoopback && configuration["AZURE_FUNCTIONS_ENVIRONMENT"] != "Development")
            throw new InvalidOperationException("OllamaMax:TrustLoopback is for development only: in Azure every caller would be let in without a key");
        // A foreign name in the Host header gains nothing where nobody is trusted for where they call from.
        if (!edge.TrustLoopback)
            edge.AllowedHosts.Add("*");
    }

    /// <summary>By connection string, or as the identity that the host and its triggers are by the same settings.</summary>
    private static StorageAccount Storage(ConfigurationManager configuration) => configuration["AzureWebJobsStorage:blobServiceUri"] is { Length: > 0 } address
        ? new(address, Required(configuration, "OllamaMax:Storage:AccountKey"))
        : new(Required(configuration, "AzureWebJobsStorage"));

    private static string Required(ConfigurationManager configuration, string setting) => configuration[setting] is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"the setting {setting} is missing (local.settings.sample.json shows its form)");

    /// <summary>A whole application's middleware and routing, without a server of its own.</summary>
    private static EdgeRequests Pipeline(IServiceProvider services)
    {
        ApplicationBuilder app = new(services);
        app.UseEdge();
        RequestDelegate pipeline = app.Build();
        return new(pipeline, services.GetRequiredService<TimeProvider>());
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using OllamaMax.Edge.Cluster;
using OllamaMax.SignalR;
using OllamaMax.Storage;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>All that an edge has, with SignalR that nobody calls.</summary>
internal static class WholeEdge
{
    /// <param name="account">Its storage; null: one that nobody calls either.</param>
    /// <param name="settings">Its configuration.</param>
    public static ServiceProvider Services(StorageAccount? account = null, Dictionary<string, string?>? settings = null)
    {
        ServiceCollection services = new();
        services.AddLogging();
        services.AddSingleton<IHostApplicationLifetime, ApplicationLifetime>();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddEdge(options => options.TrustLoopback = true)
            .AddCluster(account ?? new StorageAccount("UseDevelopmentStorage=true"), SignalRConnectionString.Parse($"Endpoint=http://localhost;AccessKey={new string('k', 32)};Version=1.0;"));
        return services.BuildServiceProvider();
    }

    public static RouteEndpoint[] Endpoints(ServiceProvider services)
    {
        IEndpointRouteBuilder? mapped = null;
        new ApplicationBuilder(services).UseEdge(endpoints => mapped = endpoints).Build();
        return [.. mapped!.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];
    }
}

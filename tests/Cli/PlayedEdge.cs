using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OllamaMax.Cli.Tests;

/// <summary>A server that answers what no real edge can be made to.</summary>
internal static class PlayedEdge
{
    public static async Task<WebApplication> StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication server = builder.Build();
        server.Run(answer);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }
}

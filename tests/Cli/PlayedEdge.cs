using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>A server that answers what no real edge can be made to.</summary>
internal static class PlayedEdge
{
    public static async Task<WebApplication> StartAsync(RequestDelegate answer)
    {
        WebApplication server = LoopbackServer.Build();
        server.Run(answer);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }
}

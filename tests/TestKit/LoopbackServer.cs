using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace OllamaMax.TestKit;

/// <summary>Real HTTP servers that play another's part.</summary>
public static class LoopbackServer
{
    /// <summary>One that logs nothing, and answers nothing yet; it listens once it is started.</summary>
    /// <param name="port">0: any.</param>
    public static WebApplication Build(int port = 0)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        return builder.Build();
    }
}

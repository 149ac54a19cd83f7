using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OllamaMax.Edge;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Cluster;
using OllamaMax.GpuWorker.Health;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.TaskHub.Hosting;

namespace OllamaMax.LocalHost;

/// <summary>The edge on Kestrel, on the loopback.</summary>
internal sealed class EdgeServer : IAsyncDisposable
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;

    private EdgeServer(WebApplication app)
    {
        _app = app;
        Address = new(app.Urls.Single());
    }

    /// <summary>With the real port, also when 0 was asked for.</summary>
    public Uri Address { get; }

    /// <exception cref="StartException">The port is busy, or a setting is wrong.</exception>
    public static async Task<EdgeServer> StartAsync(
        LocalHostOptions options, StorageAccount storage, SignalRConnectionString signalR, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        PlainLogging.Configure(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, options.Port));
        // Bound to the loopback alone, so whoever can call is on this machine.
        builder.Services
            .AddEdge(edge => edge.TrustLoopback = true)
            .AddCluster(storage, signalR)
            .AddKeysInPath()
            .AddTaskHub(LocalTasks.Register)
            .PostConfigure<AliasOptions>(aliases => aliases.Add(string.Join(';', options.Alias)));
        WebApplication app = builder.Build();
        try
        {
            app.UseEdge();
            await app.StartAsync(cancellationToken);
            return new(app);
        }
        catch (IOException e) when (e.InnerException is not null)
        {
            await app.DisposeAsync();
            throw Busy(options.Port, e);
        }
        catch (OptionsValidationException e)
        {
            await app.DisposeAsync();
            throw new StartException(string.Join("; ", e.Failures), e);
        }
    }

    /// <summary>Fails early, before anything was started; the start itself finds out what happens in between.</summary>
    public static void ThrowIfBusy(int port)
    {
        try
        {
            using TcpListener probe = new(IPAddress.Loopback, port);
            probe.Start();
        }
        catch (SocketException e)
        {
            throw Busy(port, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource grace = new(StopGrace);
        await _app.StopAsync(grace.Token);
        await _app.DisposeAsync();
    }

    private static StartException Busy(int port, Exception reason) =>
        new($"port {port} cannot be used ({reason.GetBaseException().Message}); stop what listens there (an Ollama?) or give another --port", reason);
}

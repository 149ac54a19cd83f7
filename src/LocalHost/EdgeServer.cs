using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OllamaMax.Edge;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Costs;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.GpuWorker.Health;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.TaskHub.Hosting;

namespace OllamaMax.LocalHost;

/// <summary>The edge on Kestrel, on the loopback unless it is told otherwise.</summary>
internal sealed class EdgeServer : IAsyncDisposable
{
    // Nothing here follows a file of settings that changes, and to be told of one the host watches each folder below the one that it was started in: thousands in a checkout, a whole home elsewhere.
    private static readonly string[] UnwatchedSettings = ["--hostBuilder:reloadConfigOnChange=false"];

    private readonly WebApplication _app;

    private EdgeServer(WebApplication app)
    {
        _app = app;
        Uri[] addresses = [.. app.Urls.Select(Reachable)];
        PublicAddress = addresses.FirstOrDefault(address => address.Scheme == Uri.UriSchemeHttps, addresses[0]);
        Address = addresses.First(address => address.Scheme == Uri.UriSchemeHttp);
    }

    /// <summary>For clients on this machine; with the real port, also when 0 was asked for.</summary>
    public Uri PublicAddress { get; }

    /// <summary>For what the local host itself starts: the same, but with a certificate, which hardly names the loopback, plain http on a port of its own.</summary>
    public Uri Address { get; }

    /// <exception cref="StartException">The port is busy, or a setting is wrong.</exception>
    public static async Task<EdgeServer> StartAsync(
        LocalHostOptions options, StorageAccount storage, SignalRConnectionString signalR, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = UnwatchedSettings });
        PlainLogging.Configure(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services
            // Nothing ends an activity here. Before the rest, so that settings can say otherwise.
            .Configure<PullOptions>(pulls => pulls.LongestSlice = TimeSpan.FromDays(1))
            .AddEdge(edge => Trust(edge, options))
            .AddCluster(storage, signalR)
            .AddKeysInPath()
            .AddTaskHub(LocalTasks.Register)
            .PostConfigure<CostOptions>(costs => costs.FunctionMemoryMB ??= 0)
            .PostConfigure<AliasOptions>(aliases => aliases.Add(string.Join(';', options.Alias)))
            .PostConfigure<DispatchOptions>(dispatch => dispatch.EncryptPayloads |= options.EncryptPayloads)
            .PostConfigure<ContentKeyOptions>(keys =>
            {
                if (options.ContentKey is { } own)
                    keys.Add(own);
            });
        WebApplication app = builder.Build();
        try
        {
            app.UseEdge();
            // Before the host looks at them itself, and logs more than the one line that says it all.
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            await app.StartAsync(cancellationToken);
            return new(app);
        }
        catch (IOException e) when (e.InnerException is not null)
        {
            await app.DisposeAsync();
            throw Busy(options.Port, e);
        }
        catch (Exception e) when (WrongSettings(e) is { } wrong)
        {
            await app.DisposeAsync();
            throw new StartException(wrong, e);
        }
    }

    /// <summary>Fails early, before anything was started; the start itself finds out what happens in between.</summary>
    public static void ThrowIfBusy(IPAddress address, int port)
    {
        try
        {
            using TcpListener probe = new(address, port);
            probe.Start();
        }
        catch (SocketException e)
        {
            throw Busy(port, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource grace = new(StopGraces.Requests);
        await _app.StopAsync(grace.Token);
        await _app.DisposeAsync();
    }

    private static void Listen(KestrelServerOptions kestrel, LocalHostOptions options)
    {
        if (options.Certificate is { } certificate)
        {
            kestrel.Listen(options.Listen, options.Port, open => open.UseHttps(https => ServerCertificate.Apply(certificate, https)));
            kestrel.Listen(IPAddress.Loopback, options.OwnPort);
        }
        else
        {
            kestrel.Listen(options.Listen, options.Port);
        }
    }

    /// <summary>All addresses are no address that one could call.</summary>
    private static Uri Reachable(string url)
    {
        UriBuilder address = new(url);
        if (IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? host) && (host.Equals(IPAddress.Any) || host.Equals(IPAddress.IPv6Any)))
            address.Host = IPAddress.Loopback.ToString();
        return address.Uri;
    }

    /// <summary>Bound to the loopback alone, whoever can call is on this machine.</summary>
    private static void Trust(EdgeOptions edge, LocalHostOptions options)
    {
        edge.TrustLoopback = !options.RequireKeys;
        // Others, and a reverse proxy here, call by whatever name this machine has. A foreign name gains nothing where nobody is trusted for where they call from.
        if (options.RequireKeys)
            edge.AllowedHosts.Add("*");
    }

    /// <summary>What is wrong with the configuration; null where something else is.</summary>
    private static string? WrongSettings(Exception e) => e switch
    {
        OptionsValidationException options => string.Join("; ", options.Failures),
        // The binder's: it names the setting, its value and what it should be; why the value is none stands within.
        InvalidOperationException { InnerException: FormatException or ArgumentException or OverflowException } => e.Message,
        // The host's, which looks at all options.
        AggregateException many when many.InnerExceptions.All(one => WrongSettings(one) is not null) => string.Join("; ", many.InnerExceptions.Select(WrongSettings)),
        _ => null,
    };

    private static StartException Busy(int port, Exception reason) =>
        new($"port {port} cannot be used ({reason.GetBaseException().Message}); stop what listens there (an Ollama?) or give another --port", reason);
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>
/// Stands in for the Azure SignalR Service in serverless mode, on a port of its own: clients and senders are the same as in the cloud.
/// </summary>
public sealed class SignalRSurface : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SignalRSurface(WebApplication app, SignalRSurfaceOptions options)
    {
        _app = app;
        IServerAddressesFeature addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
        UriBuilder endpoint = new(addresses.Addresses.Single());
        endpoint.Host = options.Host ?? endpoint.Host;
        Endpoint = endpoint.Uri.GetLeftPart(UriPartial.Authority);
        // The form that the official emulator prints, so that either can take the other's place.
        ConnectionString = $"Endpoint={endpoint.Scheme}://{endpoint.Host};Port={endpoint.Port};AccessKey={options.AccessKey};Version=1.0;";
        // Whatever is wrong with the options is to show now.
        SignalRConnectionString.Parse(ConnectionString);
    }

    /// <summary>For example <c>http://127.0.0.1:8888</c>.</summary>
    public string Endpoint { get; }

    /// <summary>Holds the access key.</summary>
    public string ConnectionString { get; }

    public SignalRFaults Faults => _app.Services.GetRequiredService<SignalRFaults>();

    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<SignalRSurface> StartAsync(
        SignalRSurfaceOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // Empty: neither configuration files nor environment variables of the host have a say here.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRouting();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSignalRSurface(options);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopGraces.SignalR);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Address, options.Port);
        });
        WebApplication app = builder.Build();
        try
        {
            app.MapSignalRSurface();
            await app.StartAsync(cancellationToken);
            return new(app, options);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Done when the user has a connection that messages reach. A client learns a moment earlier that it is connected,
    /// here as in the cloud.
    /// </summary>
    public Task WaitForUserAsync(string hub, string user, CancellationToken cancellationToken) =>
        _app.Services.GetRequiredService<SurfaceHubs>()[hub].WaitForUserAsync(user, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

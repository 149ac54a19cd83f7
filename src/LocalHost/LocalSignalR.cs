using System.Net;
using Microsoft.Extensions.Logging;
using OllamaMax.LocalHost.Data;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.SignalR;

namespace OllamaMax.LocalHost;

/// <summary>
/// The SignalR service: the one that AzureSignalRConnectionString names, else a surface of our own. That one's access key outlives it, its faults
/// come from the command line.
/// </summary>
internal sealed class LocalSignalR : IAsyncDisposable
{
    /// <summary>Where a Functions app finds the connection string of its SignalR service.</summary>
    public const string Setting = "AzureSignalRConnectionString";

    /// <summary>The port of the official emulator, where a Functions host's settings expect it.</summary>
    private const int EmulatorPort = 8888;

    private readonly SignalRSurface? _surface;

    private LocalSignalR(string connectionString, SignalRSurface? surface = null)
    {
        ConnectionString = connectionString;
        Connection = SignalRConnectionString.Parse(connectionString);
        _surface = surface;
    }

    /// <summary>Holds the access key.</summary>
    public string ConnectionString { get; }

    public SignalRConnectionString Connection { get; }

    /// <summary>The loopback ports that a worker uses; none when the service is another's.</summary>
    public IReadOnlyList<int> Ports => _surface is { Endpoint: var endpoint } ? [new Uri(endpoint).Port] : [];

    public override string ToString() => _surface?.Endpoint ?? $"the service in {Setting}, {Connection.Endpoint}";

    /// <exception cref="StartException">The port is busy, or the setting is no connection string.</exception>
    public static async Task<LocalSignalR> OpenAsync(
        LocalHostOptions options, DataFolder data, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(Setting) is { Length: > 0 } given)
            return Given(given);
        SignalRSurface surface = await StartAsync(options, data, loggers, time, cancellationToken);
        return new(surface.ConnectionString, surface);
    }

    public ValueTask DisposeAsync() => _surface?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static LocalSignalR Given(string connectionString)
    {
        try
        {
            return new(connectionString);
        }
        catch (FormatException e)
        {
            throw new StartException($"{Setting} is no connection string: {e.Message}", e);
        }
    }

    private static async Task<SignalRSurface> StartAsync(
        LocalHostOptions options, DataFolder data, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        int port = options.Services ? EmulatorPort : data.Ports.Find("signalr");
        SignalRSurfaceOptions surface = new()
        {
            AccessKey = data.Secrets.GetOrCreate("signalr-access-key"),
            Address = IPAddress.Loopback,
            Port = port,
            Faults = SignalRFaultOptions.Parse(options.SignalRFaults ?? ""),
        };
        try
        {
            SignalRSurface started = await SignalRSurface.StartAsync(surface, time, loggers, cancellationToken);
            if (!options.Services)
                data.Ports.Keep("signalr", new Uri(started.Endpoint).Port);
            return started;
        }
        catch (IOException e)
        {
            throw new StartException($"port {port} of the SignalR surface cannot be used ({e.GetBaseException().Message})", e);
        }
    }
}

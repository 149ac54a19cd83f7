using System.Net;
using Microsoft.Extensions.Logging;
using OllamaMax.LocalHost.Data;
using OllamaMax.LocalHost.SignalR;

namespace OllamaMax.LocalHost;

/// <summary>The SignalR surface of this local host: its access key outlives it, its faults come from the command line.</summary>
internal static class LocalSignalR
{
    /// <summary>Where a Functions app finds the connection string of its SignalR service.</summary>
    public const string Setting = "AzureSignalRConnectionString";

    /// <summary>The port of the official emulator, where a Functions host's settings expect it.</summary>
    private const int EmulatorPort = 8888;

    /// <exception cref="StartException">The port is busy.</exception>
    public static async Task<SignalRSurface> StartAsync(
        LocalHostOptions options, DataFolder data, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        int port = options.Services ? EmulatorPort : 0;
        SignalRSurfaceOptions surface = new()
        {
            AccessKey = data.Secrets.GetOrCreate("signalr-access-key"),
            Address = IPAddress.Loopback,
            Port = port,
            Faults = SignalRFaultOptions.Parse(options.SignalRFaults ?? ""),
        };
        try
        {
            return await SignalRSurface.StartAsync(surface, time, loggers, cancellationToken);
        }
        catch (IOException e)
        {
            throw new StartException($"port {port} of the SignalR surface cannot be used ({e.GetBaseException().Message})", e);
        }
    }
}

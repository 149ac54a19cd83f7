using System.Net;
using System.Security.Cryptography;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>How to serve the two surfaces of the SignalR service.</summary>
public sealed record SignalRSurfaceOptions
{
    /// <summary>Signs and checks all tokens; at least 32 bytes. A random one unless given.</summary>
    public string AccessKey { get; init; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    /// <summary>0 takes any free one.</summary>
    public int Port { get; init; }

    /// <summary>The address to listen on.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>
    /// The host in the endpoint's URL, and so in every token: the name or address by which all, workers on other boxes included,
    /// reach <see cref="Address"/>. The listening address unless given.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>Off unless given; can be changed later at <see cref="SignalRSurface.Faults"/>.</summary>
    public SignalRFaultOptions Faults { get; init; } = SignalRFaultOptions.None;
}

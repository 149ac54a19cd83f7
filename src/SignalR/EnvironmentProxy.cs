using System.Net;

namespace OllamaMax.SignalR;

/// <summary>
/// The environment's proxy, but never for this machine itself: HTTP_PROXY is often set without a NO_PROXY, and a proxy elsewhere
/// cannot reach our loopback.
/// </summary>
public sealed class EnvironmentProxy : IWebProxy
{
    public static EnvironmentProxy Instance { get; } = new();

    public ICredentials? Credentials
    {
        get => HttpClient.DefaultProxy.Credentials;
        set => throw new NotSupportedException("The credentials are the environment's.");
    }

    public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : HttpClient.DefaultProxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || HttpClient.DefaultProxy.IsBypassed(host);
}

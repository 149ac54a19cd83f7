using System.Net;

namespace OllamaMax.SignalR;

/// <summary>
/// The environment's proxy, but never for this machine itself: HTTP_PROXY is often set without a NO_PROXY, and a proxy elsewhere
/// cannot reach our loopback.
/// </summary>
public sealed class EnvironmentProxy : IWebProxy
{
    public static EnvironmentProxy Instance { get; } = new();

    /// <summary>
    /// Says the same to clients that read the environment by themselves (the storage SDK's do), here and in child processes. For the
    /// start of a program, before its first request.
    /// </summary>
    public static void ExceptThisMachine()
    {
        const string thisMachine = "127.0.0.1,localhost,[::1]";
        string? given = Environment.GetEnvironmentVariable("no_proxy") ?? Environment.GetEnvironmentVariable("NO_PROXY");
        string all = string.IsNullOrEmpty(given) ? thisMachine : $"{given},{thisMachine}";
        foreach (string name in (string[])["no_proxy", "NO_PROXY"])
            Environment.SetEnvironmentVariable(name, all);
    }

    public ICredentials? Credentials
    {
        get => HttpClient.DefaultProxy.Credentials;
        set => throw new NotSupportedException("The credentials are the environment's.");
    }

    public Uri? GetProxy(Uri destination) => destination.IsLoopback ? null : HttpClient.DefaultProxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || HttpClient.DefaultProxy.IsBypassed(host);
}

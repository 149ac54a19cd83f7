using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>The hubs by name; they exist as soon as somebody names them. A serverless hub has no methods and no state of its own.</summary>
internal sealed class SurfaceHubs
{
    private readonly ConcurrentDictionary<string, SurfaceHub> _hubs = new(StringComparer.OrdinalIgnoreCase);

    public SurfaceHub this[string name] => _hubs.GetOrAdd(name, static _ => new());
}

/// <summary>What ASP.NET Core needs a hub to be; all logical hubs share it.</summary>
internal sealed class ListenHub : Hub;

/// <summary>Notes who comes and goes. Nothing is sent through the hub's own clients.</summary>
internal sealed class SurfaceLifetimeManager(SurfaceHubs hubs, ILogger<DefaultHubLifetimeManager<ListenHub>> logger)
    : DefaultHubLifetimeManager<ListenHub>(logger)
{
    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        HubOf(connection).Add(new(connection));
        return Task.CompletedTask;
    }

    public override Task OnDisconnectedAsync(HubConnectionContext connection)
    {
        HubOf(connection).Remove(connection.ConnectionId);
        return Task.CompletedTask;
    }

    private SurfaceHub HubOf(HubConnectionContext connection) => hubs[connection.GetHttpContext()!.Request.Query["hub"].ToString()];
}

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Models;
using OllamaMax.SignalR;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>The servers that this worker forwards to, and their models: always loaded as far as the cluster is concerned, and in nobody's memory here.</summary>
internal sealed class ForwardedServers : IAsyncDisposable
{
    private static readonly TimeSpan ConnectsWithin = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly IReadOnlyList<ForwardedServer> _servers;

    public ForwardedServers(IOptions<WorkerOptions> options, TimeProvider time, ILogger<ForwardedServer> logger)
    {
        // Answers take as long as they take; each attempt has its own deadline.
        _http = new HttpClient(new SocketsHttpHandler { Proxy = EnvironmentProxy.Instance, AllowAutoRedirect = false, ConnectTimeout = ConnectsWithin }) { Timeout = Timeout.InfiniteTimeSpan };
        _servers = [.. options.Value.Forward.Select(target => new ForwardedServer(target, _http, options.Value.ForwardSlots, time, logger))];
        foreach (ForwardedServer server in _servers)
            server.Changed += () => Changed?.Invoke();
    }

    /// <summary>Models have come or gone. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>Digests of the models that are offered at the moment.</summary>
    public IReadOnlyList<string> Digests => [.. Models.Select(model => model.Digest)];

    /// <summary>The models that are offered at the moment, each once, whichever of the servers have it.</summary>
    public IReadOnlyList<ForwardedModel> Models => [.. _servers.SelectMany(server => server.Models).DistinctBy(model => model.Digest)];

    /// <summary>Asks all servers for the first time.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => Task.WhenAll(_servers.Select(server => server.AskAsync(cancellationToken)));

    /// <summary>Asks each server again and again, in a task of its own that ends with the token.</summary>
    public IEnumerable<Task> Keep(CancellationToken stopping) => _servers.Select(server => server.KeepAsync(stopping));

    /// <summary>Whether jobs of this model can be run here: any that can be fetched, or one that is offered.</summary>
    public bool CanRun(string digest) => !ForwardedDigest.Is(digest) || Find(digest) is not null;

    /// <summary>The engine of a model that is forwarded to; null for a model of the cluster's own.</summary>
    /// <exception cref="ReplicaException">No server here has it any more.</exception>
    public ModelUse? Use(string digest)
    {
        if (!ForwardedDigest.Is(digest))
            return null;
        return new ModelUse(Find(digest) ?? throw new ReplicaException("no server that the worker forwards to has the model at the moment"), () => { });
    }

    /// <summary>Has the model's server let it go, where it can be told to.</summary>
    public void Unload(string digest)
    {
        if (Find(digest) is { } engine)
            _ = engine.LoadAsync(TimeSpan.Zero, CancellationToken.None).AsTask();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ForwardedServer server in _servers)
            await server.DisposeAsync();
        _http.Dispose();
    }

    private ForwardingEngine? Find(string digest)
    {
        foreach (ForwardedServer server in _servers)
        {
            if (server.Models.FirstOrDefault(model => model.Digest == digest) is { } found)
                return server.EngineOf(found);
        }
        return null;
    }
}

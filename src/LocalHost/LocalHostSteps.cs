using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.Data;
using OllamaMax.LocalHost.Processes;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;

namespace OllamaMax.LocalHost;

/// <summary>Starts the parts in their order, says so in short lines, and ends them in the opposite order.</summary>
internal sealed class LocalHostSteps(
    LocalHostOptions options, DataFolder data, ILoggerFactory loggers, TimeProvider time, Action<string> say)
{
    /// <summary>Ends when <paramref name="shutdown"/> is requested and all has ended.</summary>
    public async Task RunAsync(Shutdown shutdown)
    {
        CancellationToken cancellationToken = shutdown.Token;
        say($"data in {data.Path}");
        foreach (int port in options.Services ? [] : options.EdgePorts)
            EdgeServer.ThrowIfBusy(options.Listen, port);
        await NodePackages.EnsureInstalledAsync(RepositoryRoot.Find(), say, cancellationToken);

        await using LocalStorage storage = await LocalStorage.OpenAsync(options, data, loggers, time, cancellationToken);
        StorageAccount account = new(storage.ConnectionString);
        await account.CreateContainersAsync(cancellationToken);
        say($"storage: {storage}");

        await using LocalSignalR signalR = await LocalSignalR.OpenAsync(options, data, loggers, time, cancellationToken);
        say($"signalr: {signalR}");
        ModelView model = await PublishModelsAsync(account, cancellationToken);

        JoinTokens tokens = new(account, time);
        if (options.Services)
            await RunServicesAsync(storage, signalR, tokens, shutdown);
        else
            await RunEdgeAsync(storage, account, signalR, model, tokens, shutdown);
    }

    private async Task<ModelView> PublishModelsAsync(StorageAccount account, CancellationToken cancellationToken)
    {
        using ModelCatalog catalog = new(account.Blobs, time, loggers.CreateLogger<ModelCatalog>(), data.Folder("cache"));
        return await new StartModels(catalog, say).PublishAsync(options, cancellationToken);
    }

    private async Task RunEdgeAsync(
        LocalStorage storage, StorageAccount account, LocalSignalR signalR, ModelView model, JoinTokens tokens, Shutdown shutdown)
    {
        if (options.Edges > 1)
        {
            await using EdgePool edges = await EdgePool.StartAsync(options, storage, signalR, say, loggers.CreateLogger<EdgePool>(), time, shutdown.Token);
            foreach (var (index, edge) in edges.Addresses.Index())
                say($"edge-{index + 1} listens on {edge.Public.GetLeftPart(UriPartial.Authority)}");
            await RunBesideAsync(edges.Addresses[0].Own, edges.Addresses[0].Public, storage, account, signalR, model, tokens, shutdown);
        }
        else
        {
            int ownPort = data.Ports.Find("edge");
            LocalHostOptions here = options with { OwnPort = ownPort == options.Port ? 0 : ownPort };
            await using EdgeServer edge = await EdgeServer.StartAsync(here, account, signalR.Connection, shutdown.Token);
            if (options.Certificate is not null)
                data.Ports.Keep("edge", edge.Address.Port);
            await RunBesideAsync(edge.Address, edge.PublicAddress, storage, account, signalR, model, tokens, shutdown);
        }
    }

    /// <summary>What stands beside the edge, until the end is requested.</summary>
    /// <param name="edge">Our own way in.</param>
    /// <param name="clients">The clients' way in.</param>
    private async Task RunBesideAsync(
        Uri edge, Uri clients, LocalStorage storage, StorageAccount account, LocalSignalR signalR, ModelView model, JoinTokens tokens, Shutdown shutdown)
    {
        await using WorkerPool workers = StartWorkers(edge, tokens, shutdown.Token);
        StartKeys keys = new(account, time, say);
        if (options.Workers > 0)
            await WaitUntilReadyAsync(edge, model, keys, shutdown.Token);
        if (options.RequireKeys)
            await keys.SayFirstAsync(shutdown.Token);
        else
            say("anonymous: whoever calls from this machine may do everything; --require-keys asks for keys");
        say($"ready {clients.GetLeftPart(UriPartial.Authority)}");
        await SayHowToJoinAsync(edge, storage, signalR, tokens, shutdown.Token);
        say($"stopping: {await shutdown.Requested}");
    }

    private async Task RunServicesAsync(LocalStorage storage, LocalSignalR signalR, JoinTokens tokens, Shutdown shutdown)
    {
        say("settings for local.settings.json:");
        say($"""  "{LocalStorage.Setting}": "{storage.ConnectionString}",""");
        say($"""  "{LocalSignalR.Setting}": "{signalR.ConnectionString}",""");
        await using WorkerPool workers = StartWorkers(options.EdgeUrl, tokens, shutdown.Token);
        say($"services ready; the workers enrol at {options.EdgeUrl.GetLeftPart(UriPartial.Authority)}");
        say($"stopping: {await shutdown.Requested}");
    }

    private WorkerPool StartWorkers(Uri edge, JoinTokens tokens, CancellationToken shutdown) => WorkerPool.Start(
        options, edge, data, tokens.ForOurWorkerAsync, say, loggers.CreateLogger<WorkerPool>(), time, shutdown);

    private async Task WaitUntilReadyAsync(Uri edge, ModelView model, StartKeys keys, CancellationToken cancellationToken)
    {
        // It is loaded before anybody asks; for what was not asked for here either nobody waits long.
        using HttpClient http = new() { Timeout = TimeSpan.FromMinutes(options.Model is null ? 2 : 10) };
        Readiness readiness = new(http, say, time);
        await readiness.WaitAsync(edge, cancellationToken);
        try
        {
            if (options.RequireKeys)
                await keys.WithOneAsync(key => readiness.WarmUpAsync(edge, model, key, cancellationToken), cancellationToken);
            else
                await readiness.WarmUpAsync(edge, model, key: null, cancellationToken);
        }
        catch (StartException e) when (options.Model is null)
        {
            // Nobody asked for this one, and others may well be answered.
            say(e.Message);
        }
    }

    private async Task SayHowToJoinAsync(
        Uri edge, LocalStorage storage, LocalSignalR signalR, JoinTokens tokens, CancellationToken cancellationToken)
    {
        string token = await tokens.ForAnotherBoxAsync(cancellationToken);
        IEnumerable<int> ports = [.. storage.Ports, .. signalR.Ports];
        say($"a worker on another box joins with: {WorkerLaunch.ForAnotherBox(edge, ports, token)}");
    }
}

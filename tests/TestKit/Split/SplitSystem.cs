using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.LocalHost.SignalR;

namespace OllamaMax.TestKit.Split;

/// <summary>
/// The system with edge, workers and Azurite as processes that do not depend on each other, so that each can be killed, stopped and started by
/// itself. The SignalR surface is in this process, where its faults can be turned.
/// </summary>
public sealed class SplitSystem : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly TempFolder _folder;
    private readonly SplitSystemOptions _options;
    private readonly ConcurrentBag<WorkerSeat> _workers = [];
    private readonly string _signalRKey;
    private AzuriteProcess _azurite;
    private LocalSystem? _edge;

    private SplitSystem(SplitSystemOptions options, TempFolder folder, AzuriteProcess azurite, SignalRSurface signalR, string signalRKey)
    {
        _options = options;
        _folder = folder;
        _azurite = azurite;
        _signalRKey = signalRKey;
        SignalR = signalR;
    }

    /// <summary>The surface as last started.</summary>
    public SignalRSurface SignalR { get; private set; }

    /// <summary>Process id of the edge as last started.</summary>
    public int EdgePid => _edge!.Pid;

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<WorkerSeat> Workers => [.. _workers.OrderBy(worker => worker.Name, StringComparer.Ordinal)];

    /// <summary>What all of them wrote, the edge with its every start: <c>worker-1: …</c>, <c>edge: …</c>.</summary>
    public LineLog Log { get; } = new();

    /// <summary>For any number of requests at once.</summary>
    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromMinutes(5) };

    /// <summary>Starts everything and waits until all workers listen.</summary>
    public static async Task<SplitSystem> StartAsync(SplitSystemOptions options, CancellationToken cancellationToken)
    {
        TempFolder folder = new();
        SignalRSurfaceOptions signalR = new();
        SplitSystem system = new(
            options,
            folder,
            await AzuriteFixture.StartAsync(folder.File("azurite"), cancellationToken),
            await SignalRSurface.StartAsync(signalR, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken),
            signalR.AccessKey);
        try
        {
            await system.StartEdgeAsync(cancellationToken);
            system.Client.BaseAddress = system._edge!.BaseAddress;
            await Task.WhenAll(Enumerable.Range(1, options.Workers).Select(n => system.AddWorkerAsync($"worker-{n}", cancellationToken)));
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>The edge dies, and with it all its connections.</summary>
    public async Task KillEdgeAsync()
    {
        LocalSystem.Kill(_edge!.Pid);
        await _edge.Exit;
    }

    /// <summary>Another edge takes the place of the one that was killed; storage has to be there.</summary>
    public async Task StartEdgeAsync(CancellationToken cancellationToken)
    {
        int port = _edge?.BaseAddress.Port ?? 0;
        if (_edge is not null)
            await _edge.DisposeAsync();
        _edge = await LocalSystem.StartAsync(
            new()
            {
                Port = port,
                Workers = 0,
                Model = _options.Model,
                Data = _folder.File("edge"),
                OnLine = line => Log.Add($"edge: {line}"),
                Environment = new Dictionary<string, string?>(_options.Environment)
                {
                    ["AzureWebJobsStorage"] = _azurite.ConnectionString,
                    ["AzureSignalRConnectionString"] = SignalR.ConnectionString,
                },
            },
            cancellationToken);
    }

    /// <summary>SIGSTOP: Azurite takes connections and answers nothing.</summary>
    public void SuspendStorage() => LocalSystem.Suspend(_azurite.Pid!.Value);

    /// <summary>SIGCONT.</summary>
    public void ResumeStorage() => LocalSystem.Resume(_azurite.Pid!.Value);

    public async Task StopStorageAsync() => await _azurite.DisposeAsync();

    /// <summary>On the same ports and data as before.</summary>
    public async Task StartStorageAsync(CancellationToken cancellationToken) =>
        _azurite = await AzuriteFixture.StartAsync(_folder.File("azurite"), cancellationToken, _azurite.Endpoints);

    public async Task StopSignalRAsync() => await SignalR.DisposeAsync();

    /// <summary>On the same port and with the same key as before, without faults.</summary>
    public async Task StartSignalRAsync(CancellationToken cancellationToken) => SignalR = await SignalRSurface.StartAsync(
        new() { AccessKey = _signalRKey, Port = new Uri(SignalR.Endpoint).Port }, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);

    /// <summary>Waits until the edge lists all workers as they are now, with the model in memory where <paramref name="isWarm"/>.</summary>
    public async Task WaitForWorkersAsync(bool isWarm, CancellationToken cancellationToken)
    {
        JsonElement listed = default;
        using PeriodicTimer timer = new(Look);
        try
        {
            while (!AreThere(listed = await Client.GetFromJsonAsync<JsonElement>("/cluster/workers", cancellationToken), isWarm))
                await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            string wanted = string.Join(", ", Workers.Select(worker => $"{worker.Name} (pid {worker.Pid})"));
            throw new OperationCanceledException($"{wanted} are not all there{(isWarm ? " with their model" : "")}; listed: {listed}", e, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // What is still suspended would not end by itself.
        if (_azurite.Pid is not null)
            ResumeStorage();
        foreach (WorkerSeat worker in _workers)
            worker.Resume();
        await Task.WhenAll(_workers.Select(worker => worker.DisposeAsync().AsTask()));
        if (_edge is not null)
            await _edge.DisposeAsync();
        await SignalR.DisposeAsync();
        await _azurite.DisposeAsync();
        Client.Dispose();
        _folder.Dispose();
    }

    private async Task AddWorkerAsync(string name, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await Client.PostAsync(new Uri("/cluster/join-tokens", UriKind.Relative), null, cancellationToken);
        JsonElement answer = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        JoinedWorkerOptions options = new()
        {
            Name = name,
            Data = _folder.File(name),
            DrainSeconds = _options.DrainSeconds,
            MoreArguments = ["--replicas", _folder.File("replicas"), .. _options.WorkerArguments],
            OnLine = line => Log.Add($"{name}: {line}"),
        };
        _workers.Add(await WorkerSeat.TakeAsync(
            name, answer.GetProperty("token").GetString()!, (token, cancel) => JoinedWorker.StartAsync(Client.BaseAddress!, token, options, cancel), cancellationToken));
    }

    private bool AreThere(JsonElement answer, bool isWarm)
    {
        string model = Path.GetFileNameWithoutExtension(_options.Model);
        return Workers.All(worker => answer.GetProperty("workers").EnumerateArray().Any(listed =>
            listed.GetProperty("pid").GetInt32() == worker.Pid
            && listed.GetProperty("state").GetString() == "alive"
            && (!isWarm || listed.GetProperty("models").EnumerateArray().Any(held =>
                held.GetProperty("name").GetString() == $"{model}:latest" && held.GetProperty("loaded").GetBoolean()))));
    }
}

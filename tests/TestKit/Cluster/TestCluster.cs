using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Cluster;
using OllamaMax.Edge;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Templates;
using OllamaMax.GpuWorker;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Workers;

namespace OllamaMax.TestKit.Cluster;

/// <summary>
/// Edge, SignalR surface and workers in this process, over a real storage: the composition of the local host, with everything at hand
/// that a test wants to turn. The demo model is published as <c>demo</c>.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    /// <summary>Of a request: whose it is, instead of the local principal's.</summary>
    public const string TenantHeader = "x-test-tenant";

    /// <summary>Beside <see cref="TenantHeader"/>: with a role's permissions only, instead of all.</summary>
    public const string RoleHeader = "x-test-role";

    private static readonly string s_surfaceKey = new SignalRSurfaceOptions().AccessKey;

    private readonly TempFolder _folder = new();
    private readonly List<TestWorker> _workers = [];
    private readonly StorageAccount _storage;
    private readonly Action<IServiceCollection>? _configure;
    private readonly ILoggerProvider? _logs;
    private WebApplication _edge;

    private TestCluster(
        WebApplication edge, SignalRSurface surface, StorageAccount storage, Action<IServiceCollection>? configure, ILoggerProvider? logs)
    {
        _edge = edge;
        _storage = storage;
        _configure = configure;
        _logs = logs;
        Surface = surface;
        Client = LeavingClient.To(new Uri(edge.Urls.Single()));
    }

    public SignalRSurface Surface { get; private set; }

    public HttpClient Client { get; }

    public IServiceProvider EdgeServices => _edge.Services;

    public IReadOnlyList<TestWorker> Workers => _workers;

    /// <summary>Whether workers that are added from now on are boxes of their own, with a disk each; otherwise all share one.</summary>
    public bool HasBoxes { get; set; }

    /// <summary>Bytes of disk for the copies of a worker that is added from now on; null: as many as there are.</summary>
    public long? DiskBudget { get; set; }

    /// <summary>Where a worker's copies are.</summary>
    public string ReplicasOf(string worker) => HasBoxes ? _folder.File($"{worker}-replicas") : _folder.File("replicas");

    public static string DemoModel => Path.Combine(RepositoryRoot.Find(), "models", "demo", "ollamamax-demo.gguf");

    /// <param name="storage">Connection string; its containers are shared with whoever else uses it.</param>
    /// <param name="faults">What the SignalR surface shall get wrong.</param>
    /// <param name="configure">More of the edge.</param>
    /// <param name="logs">Where all parts log; null for nowhere.</param>
    public static async Task<TestCluster> StartAsync(
        string storage,
        SignalRFaultOptions? faults = null,
        Action<IServiceCollection>? configure = null,
        ILoggerProvider? logs = null,
        CancellationToken cancellationToken = default)
    {
        var account = new StorageAccount(storage);
        await account.CreateContainersAsync(cancellationToken);
        using (var catalog = new ModelCatalog(account.Blobs, TimeProvider.System, NullLogger<ModelCatalog>.Instance))
        {
            var demo = new ModelName(ModelName.DefaultHost, ModelName.DefaultNamespace, "demo", ModelName.DefaultTag);
            await catalog.PublishAsync(DemoModel, demo, null, cancellationToken);
        }
        SignalRSurface surface = await SignalRSurface.StartAsync(
            new SignalRSurfaceOptions { AccessKey = s_surfaceKey, Faults = faults ?? SignalRFaultOptions.None }, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);
        WebApplication edge = await StartEdgeAsync(port: 0, surface, account, configure, logs, cancellationToken);
        return new TestCluster(edge, surface, account, configure, logs);
    }

    /// <summary>Ends the edge and starts another one, with nothing of the first in memory, at the same address.</summary>
    public async Task RestartEdgeAsync(CancellationToken cancellationToken)
    {
        int port = Client.BaseAddress!.Port;
        await _edge.StopAsync(cancellationToken);
        await _edge.DisposeAsync();
        _edge = await StartEdgeAsync(port, Surface, _storage, _configure, _logs, cancellationToken);
    }

    /// <summary>Starts SignalR at the same address, after the test has disposed the first.</summary>
    public async Task StartSurfaceAgainAsync(CancellationToken cancellationToken) => Surface = await SignalRSurface.StartAsync(
        new SignalRSurfaceOptions { AccessKey = s_surfaceKey, Port = new Uri(Surface.Endpoint).Port }, TimeProvider.System, NullLoggerFactory.Instance, cancellationToken);

    private static async Task<WebApplication> StartEdgeAsync(
        int port, SignalRSurface surface, StorageAccount account, Action<IServiceCollection>? configure, ILoggerProvider? logs, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (logs is not null)
            builder.Logging.AddProvider(logs);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Services
            .AddEdge(options => options.TrustLoopback = true)
            .AddCluster(account, SignalRConnectionString.Parse(surface.ConnectionString));
        // What an edge compiles before anybody asks is the same code in each of hundreds: a fifth of their processor time.
        builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == typeof(TemplateWarmUp)));
        configure?.Invoke(builder.Services);
        WebApplication edge = builder.Build();
        edge.Use((context, next) =>
        {
            if (context.Request.Headers[TenantHeader] is [{ } tenant])
                context.Features.Set(new Principal(tenant, tenant, Roles.Find(context.Request.Headers[RoleHeader].ToString()) is { } role ? Roles.PermissionsOf(role) : Permissions.All));
            return next(context);
        });
        edge.UseEdge();
        await edge.StartAsync(cancellationToken);
        return edge;
    }

    /// <summary>Adds a worker and waits until the edge lists it.</summary>
    /// <param name="engine">Null: llama.cpp with one thread.</param>
    /// <param name="exact">Whether llama.cpp computes independently of what else runs.</param>
    /// <param name="time">The worker's clock; null: the system's.</param>
    /// <param name="site">Where it stands.</param>
    /// <param name="forward">Servers whose models it offers, as <c>--forward</c> takes them.</param>
    public async Task<TestWorker> AddWorkerAsync(
        ScriptedEngine? engine, CancellationToken cancellationToken, bool exact = false, TimeProvider? time = null, string? site = null, params string[] forward)
    {
        var enrolments = _edge.Services.GetRequiredService<WorkerEnrolments>();
        var (token, _) = await enrolments.CreateJoinTokenAsync(TimeSpan.FromMinutes(5), cancellationToken);
        string name = $"worker-{_workers.Count + 1}";
        var services = new ServiceCollection().AddLogging(logging =>
        {
            if (_logs is not null)
                logging.AddProvider(_logs);
        });
        if (engine is not null)
            services.AddSingleton<IEngineLoader>(new ScriptedEngineLoader(engine));
        services.AddSingleton(time ?? TimeProvider.System);
        services.AddWorker(new WorkerOptions
        {
            Edge = Client.BaseAddress!,
            JoinToken = token,
            Data = _folder.File(name),
            Replicas = ReplicasOf(name),
            DiskBudget = DiskBudget,
            Name = name,
            Site = site,
            Slots = engine?.Slots ?? 4,
            Threads = 1,
            Exact = exact,
            Forward = [.. forward.Select(ForwardTarget.Parse)],
            DrainTimeout = TimeSpan.FromSeconds(1),
        });
        var worker = new TestWorker(name, services.BuildServiceProvider());
        _workers.Add(worker);
        await WaitForWorkerAsync(name, cancellationToken);
        return worker;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_workers.Select(worker => worker.DisposeAsync().AsTask()));
        Client.Dispose();
        await _edge.StopAsync();
        await _edge.DisposeAsync();
        await Surface.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Until the edge itself lists it: whom its listing lacks it does not tell of jobs.</summary>
    private async Task WaitForWorkerAsync(string name, CancellationToken cancellationToken)
    {
        ClusterWatch watch = EdgeServices.GetRequiredService<ClusterWatch>();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            IReadOnlyList<WorkerView> listed = await watch.GetAsync(TimeSpan.Zero, cancellationToken);
            if (listed.Any(worker => worker.Report.Name == name && worker.State == WorkerState.Alive))
                return;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}

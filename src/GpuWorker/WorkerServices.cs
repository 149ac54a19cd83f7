using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Background;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Inference.Batching;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Workers;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker;

public static class WorkerServices
{
    /// <summary>A worker and all it needs; the engine's loader and the clock can be registered before.</summary>
    public static IServiceCollection AddWorker(this IServiceCollection services, WorkerOptions options)
    {
        services.AddSingleton(Options.Create(options));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Random>();
        if (options.InProcess)
            services.TryAddSingleton<IEngineLoader, LlamaEngineLoader>();
        else
            services.TryAddSingleton<IEngineLoader, ProcessEngineLoader>();
        services.AddSingleton(_ => WorkerIdentity.Open(options.Data));
        services.AddSingleton(_ => new HttpClient(EdgeHandler(options)) { BaseAddress = options.Edge, Timeout = TimeSpan.FromSeconds(30) });
        services.AddSingleton<EdgeClient>();
        services.AddSingleton<Capabilities>();
        services.AddSingleton<SignedStorage>();
        services.AddSingleton<ReplicaFolder>();
        services.AddSingleton(provider => new ModelSource(
            () => new Uri(provider.GetRequiredService<Capabilities>().Current.ModelsUrl), provider.GetRequiredService<SignedStorage>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ModelSource>>()));
        services.AddSingleton<ReplicaStore>();
        services.AddSingleton<WarmModels>();
        services.AddSingleton<ReplicaKeeper>();
        services.AddSingleton<ModelHost>();
        services.AddSingleton<ForwardedServers>();
        services.AddSingleton(_ => new SlotGate(options.Slots ?? EngineOptions.MostSlots));
        services.AddSingleton<StandingOrders>();
        services.AddSingleton<ModelMeters>();
        services.AddSingleton<DecoderWatch>();
        services.AddSingleton<MachineMemory>();
        services.AddSingleton<MachineDevices>();
        services.AddSingleton<SignalRSender>();
        services.AddSingleton<PayloadSource>();
        services.AddSingleton<AttemptRunner>();
        services.AddSingleton<WorkerSeals>();
        services.AddSingleton<WorkerDispatcher>();
        services.AddSingleton<BackgroundRunner>();
        services.AddSingleton<QueuePoller>();
        services.AddSingleton<HeartbeatBlob>();
        services.AddSingleton<Heartbeat>();
        services.AddSingleton<Worker>();
        return services;
    }

    private static SocketsHttpHandler EdgeHandler(WorkerOptions options)
    {
        SocketsHttpHandler handler = new() { Proxy = EnvironmentProxy.Instance };
        if (options.Authority is { } file)
            handler.SslOptions = new PrivateAuthority(file).SslOptions;
        return handler;
    }

    /// <summary>Runs the worker until <paramref name="drain"/> is cancelled, then finishes or hands back what runs.</summary>
    /// <exception cref="IdentityException">The folder of the identity cannot be used, or another worker uses it.</exception>
    public static async Task RunWorkerAsync(this IServiceProvider services, CancellationToken drain)
    {
        using IDisposable held = await services.GetRequiredService<WorkerIdentity>().HoldAsync(services.GetRequiredService<TimeProvider>(), drain);
        await services.GetRequiredService<Worker>().RunAsync(drain);
    }
}

using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Devices;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>A worker's models in memory, of 100 bytes each; the engines take none, only say so.</summary>
public abstract class ModelHostContext : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LineLog _log = new();
    private ServiceProvider? _services;

    private protected WatchedTimeProvider Time { get; } = new();

    private protected CountingLoader Loader { get; } = new();

    private protected IServiceProvider Services => _services!;

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
            await _services.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static string Digest(int model) => "sha256:" + model.ToString("x64", CultureInfo.InvariantCulture);

    private protected static HeldModel Held(ModelHost host, int model) => host.Held().Single(held => held.Digest == Digest(model));

    private protected static int[] Loaded(ModelHost host) => [.. Enumerable.Range(0, host.Held().Count).Where(model => Held(host, model).Loaded)];

    private protected async Task WaitsForRoomAsync() => await _log.WaitForAsync(line => line.Contains("waits for room", StringComparison.Ordinal), Cancellation);

    private protected static async Task UntilAsync(ModelHost host, Func<bool> isSo)
    {
        var so = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Changed += Look;
        Look();
        await so.Task.WaitAsync(Cancellation);
        host.Changed -= Look;

        void Look()
        {
            if (isSo())
                so.TrySetResult();
        }
    }

    /// <summary>With a GPU that holds two models.</summary>
    private protected async Task<ModelHost> HostWithGpuAsync(int models)
    {
        ModelHost host = Host(models);
        Loader.Devices = [new("GPU0", "CUDA", "a card", DeviceKind.Gpu, 250, 0), new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1000, 1000)];
        Loader.Vram = 100;
        await Services.GetRequiredService<MachineDevices>().RefreshAsync(Cancellation);
        return host;
    }

    /// <summary>Every model needs 100 bytes.</summary>
    private protected ModelHost Host(int models, long memory = 1000)
    {
        for (int i = 0; i < models; i++)
        {
            File.WriteAllBytes(ReplicaFiles.PathOf(_folder.Path, Digest(i)), []);
            ReplicaFiles.List(_folder.Path, Digest(i));
        }
        _services = new ServiceCollection()
            .AddLogging(logging => logging.ClearProviders().AddProvider(new LineLogging(_log)))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<IEngineLoader>(Loader)
            .AddWorker(new WorkerOptions { Edge = new Uri("http://127.0.0.1:1/"), Data = _folder.File("data"), Replicas = _folder.Path, Name = "test", Memory = memory })
            .BuildServiceProvider();
        return _services.GetRequiredService<ModelHost>();
    }
}

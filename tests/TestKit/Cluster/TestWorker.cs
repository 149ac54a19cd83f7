using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker;

namespace OllamaMax.TestKit.Cluster;

/// <summary>A worker in this process.</summary>
public sealed class TestWorker : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly CancellationTokenSource _drain = new();

    internal TestWorker(string name, ServiceProvider services)
    {
        Name = name;
        _services = services;
        Running = Task.Run(() => services.RunWorkerAsync(_drain.Token));
    }

    public string Name { get; }

    /// <summary>Its parts.</summary>
    public IServiceProvider Services => _services;

    /// <summary>Its whole run; fails when it is not let in.</summary>
    public Task Running { get; }

    /// <summary>As on SIGTERM; done when it has ended.</summary>
    public async Task DrainAsync()
    {
        await _drain.CancelAsync();
        await Running;
    }

    public async ValueTask DisposeAsync()
    {
        await _drain.CancelAsync();
        await Running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _services.DisposeAsync();
        _drain.Dispose();
    }
}

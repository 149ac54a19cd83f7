using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Batches;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.LocalHost;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>A cluster with a task hub and one scripted worker of four slots.</summary>
public sealed class StrategyFixture(AzuriteFixture azurite) : IAsyncLifetime
{
    private JobCluster? _cluster;

    public ScriptedEngine Engine { get; } = new(slots: 4);

    public HttpClient Client => Cluster.Client;

    internal JobCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await JobCluster.StartAsync(
            services: services => services.AddTaskHub(LocalTasks.Register).Configure<BatchOptions>(batches => batches.PageLines = 3), azurite: azurite);
        await _cluster.PublishAsync("other");
        await _cluster.AddWorkerAsync(Engine);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

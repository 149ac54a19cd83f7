using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>
/// A cluster with a storage of its own: a background job is anybody's who looks into the model's queue, workers of a test beside this one too.
/// </summary>
internal sealed class JobCluster : IAsyncDisposable
{
    private readonly string _storage;
    private readonly TestCluster _cluster;

    private JobCluster(string storage, TestCluster cluster)
    {
        _storage = storage;
        _cluster = cluster;
    }

    public HttpClient Client => _cluster.Client;

    /// <summary>Its connection string.</summary>
    public string Storage => _storage;

    /// <summary>What the SignalR surface gets wrong.</summary>
    public SignalRFaultOptions Faults
    {
        set => _cluster.Surface.Faults.Options = value;
    }

    public IServiceProvider EdgeServices => _cluster.EdgeServices;

    public JobRecordStore Store => EdgeServices.GetRequiredService<JobRecordStore>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="configure">Sets how background jobs are run.</param>
    /// <param name="logs">Takes the edge's log.</param>
    /// <param name="services">Changes the edge's services.</param>
    /// <param name="keys">Content is encrypted with these keys; null: it is not.</param>
    /// <param name="azurite">Whose account it gets; the assembly's, unless this is called where xunit cannot tell it.</param>
    /// <param name="relay">By way of which it has its blobs; null: of none.</param>
    public static async Task<JobCluster> StartAsync(
        Action<BackgroundOptions>? configure = null, LogLines? logs = null, Action<IServiceCollection>? services = null, string? keys = null, AzuriteFixture? azurite = null, MeddlingRelay? relay = null)
    {
        azurite ??= (await TestContext.Current.GetFixture<AzuriteFixture>())!;
        string storage = azurite.NewAccount();
        storage = relay?.Through(storage) ?? storage;
        TestCluster cluster = await TestCluster.StartAsync(
            storage,
            configure: edge =>
            {
                edge.Configure<BackgroundOptions>(options =>
                {
                    (options.NudgeEvery, options.FollowInterval) = (TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(50));
                    configure?.Invoke(options);
                });
                if (keys is not null)
                    edge.Configure<DispatchOptions>(dispatch => dispatch.EncryptPayloads = true).Configure<ContentKeyOptions>(content => content.Keys = keys);
                services?.Invoke(edge);
            },
            logs: logs ?? new LogLines(),
            cancellationToken: Cancellation);
        return new JobCluster(storage, cluster);
    }

    public Task<TestWorker> AddWorkerAsync(ScriptedEngine engine, TimeProvider? time = null, string? site = null, params string[] forward) =>
        _cluster.AddWorkerAsync(engine, Cancellation, time: time, site: site, forward: forward);

    /// <summary>Publishes the demo model under another name as well.</summary>
    public Task PublishAsync(string name) =>
        EdgeServices.GetRequiredService<ModelCatalog>().PublishAsync(TestCluster.DemoModel, ModelName.Parse(name), null, Cancellation);

    public async Task DeleteHeartbeatAsync(string workerId) =>
        await new StorageAccount(_storage).Blobs.GetBlobContainerClient(Containers.Cluster).DeleteBlobAsync(Heartbeats.Prefix + workerId, cancellationToken: Cancellation);

    public Task RestartEdgeAsync() => _cluster.RestartEdgeAsync(Cancellation);

    /// <summary>The record as it lies in storage: the endpoints would bring it up to date first.</summary>
    public async Task<JobRecord> RecordAsync(string id) => (await Store.FindAsync(id, Cancellation)).ShouldNotBeNull().Record;

    /// <summary>Loses all messages of the model's queue.</summary>
    public async Task ClearQueueAsync(string model) =>
        await new StorageAccount(_storage).Queues.GetQueueClient(JobQueueName.For(model, Band.Batch)).ClearMessagesAsync(Cancellation);

    /// <summary>Waits until the model's queue holds so many messages, hidden ones counted in.</summary>
    public async Task WaitForMessagesAsync(string model, int count)
    {
        QueueClient queue = new StorageAccount(_storage).Queues.GetQueueClient(JobQueueName.For(model, Band.Batch));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await queue.GetPropertiesAsync(Cancellation)).Value.ApproximateMessagesCount != count)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();
}

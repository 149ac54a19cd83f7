using Azure;
using Azure.Core;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.TaskHub.Hosting;

namespace OllamaMax.TaskHub.Tests.Support;

/// <summary>A hub's host over real storage.</summary>
internal sealed class TestHub : IAsyncDisposable
{
    private readonly HubHost _host;

    private TestHub(BlobContainerClient container, TaskRegistry registry, TimeSpan sweepEvery)
    {
        ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        _host = new(container, registry, services, new() { SweepEvery = sweepEvery }, TimeProvider.System, NullLoggerFactory.Instance);
        Client = new(_host, TimeProvider.System);
    }

    public TaskHubClient Client { get; }

    public HubHost Host => _host;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A hub that nobody else uses.</summary>
    public static async Task<BlobContainerClient> NewContainerAsync(string connectionString)
    {
        BlobContainerClient container = new BlobServiceClient(connectionString).GetBlobContainerClient($"hub-{Guid.NewGuid():n}");
        await container.CreateAsync(cancellationToken: Cancellation);
        return container;
    }

    public static async Task<TestHub> StartAsync(BlobContainerClient container, TaskRegistry registry, TimeSpan? sweepEvery = null)
    {
        TestHub hub = Idle(container, registry, sweepEvery);
        await ((Microsoft.Extensions.Hosting.IHostedService)hub._host).StartAsync(Cancellation);
        return hub;
    }

    /// <summary>One that does not try to be the host: the client of another process.</summary>
    public static TestHub Idle(BlobContainerClient container, TaskRegistry registry, TimeSpan? sweepEvery = null) =>
        new(container, registry, sweepEvery ?? TimeSpan.FromMinutes(5));

    /// <summary>A host whose process dies at its request number <paramref name="requests"/> to storage.</summary>
    public static async Task<(TestHub Hub, Task Cut)> StartDoomedAsync(string connectionString, BlobContainerClient container, TaskRegistry registry, int requests)
    {
        CutOffPolicy policy = new(requests);
        BlobClientOptions options = new() { Retry = { MaxRetries = 0 } };
        options.AddPolicy(policy, HttpPipelinePosition.PerCall);
        BlobContainerClient cut = new BlobServiceClient(connectionString, options).GetBlobContainerClient(container.Name);
        return (await StartAsync(cut, registry), policy.Cut);
    }

    /// <summary>What time does to the lease of a host that has died.</summary>
    public static async Task BreakLeaseAsync(BlobContainerClient container)
    {
        try
        {
            await container.GetBlobClient("host").GetBlobLeaseClient().BreakAsync(TimeSpan.Zero, cancellationToken: Cancellation);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.LeaseNotPresentWithLeaseOperation || e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            // It had not come so far, or has given it back.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}

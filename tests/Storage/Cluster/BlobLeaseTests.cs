using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Leases;
using OllamaMax.Storage.Cluster;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Cluster;

public sealed class BlobLeaseTests(AzuriteFixture azurite) : LeaseContract
{
    private readonly BlobContainerClient _container = new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient($"lease-{Guid.NewGuid():n}");
    private readonly Dictionary<ILeaseStore, string> _names = [];

    [Fact]
    public async Task Inspect_NeverTakenTakenAndReleased_TellsWhetherItIsHeld()
    {
        BlobLease lease = (BlobLease)Create();
        string id = Guid.NewGuid().ToString();
        (await lease.InspectAsync(Cancellation)).IsHeld.ShouldBeFalse();

        await lease.TryAcquireAsync(id, Duration, Cancellation);
        (await lease.InspectAsync(Cancellation)).IsHeld.ShouldBeTrue();

        await lease.ReleaseAsync(id, Cancellation);
        (await lease.InspectAsync(Cancellation)).IsHeld.ShouldBeFalse();
    }

    [Fact]
    public async Task Any_StorageAway_IsAStoreException()
    {
        BlobClientOptions once = new() { Retry = { MaxRetries = 0 } };
        BlobServiceClient nobody = new("DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;", once);
        BlobLease lease = new(nobody.GetBlobContainerClient("cluster"), "leader");

        await Should.ThrowAsync<StoreException>(() => lease.TryAcquireAsync(Guid.NewGuid().ToString(), Duration, Cancellation));
        await Should.ThrowAsync<StoreException>(() => lease.TryRenewAsync(Guid.NewGuid().ToString(), Cancellation));
    }

    protected override ILeaseStore Create()
    {
        string name = $"leader-{_names.Count}";
        BlobLease lease = new(_container, name);
        _names.Add(lease, name);
        return lease;
    }

    protected override async Task BreakAsync(ILeaseStore lease) =>
        await _container.GetBlobClient(_names[lease]).GetBlobLeaseClient().BreakAsync(TimeSpan.Zero, cancellationToken: Cancellation);

    protected override async Task WaitUntilRunOutAsync(ILeaseStore lease, string nextId)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (!await lease.TryAcquireAsync(nextId, Duration, Cancellation))
            await timer.WaitForNextTickAsync(Cancellation);
    }
}

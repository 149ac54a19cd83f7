using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Cluster;
using OllamaMax.Jobs;
using OllamaMax.Storage.Cluster;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Cluster;

public sealed class OrphanBlobsTests(AzuriteFixture azurite)
{
    private static readonly OrphanWaits Waits = new(TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(1), TimeSpan.FromHours(25));

    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private OrphanBlobs Blobs => new(_account);

    private BlobContainerClient Models => _account.Blobs.GetBlobContainerClient(Containers.Models);

    [Fact]
    public async Task Find_EachKind_IsFoundWithItsWait()
    {
        string name = await StartAsync();
        await WriteAsync(Models, $"partial/{name}");
        await WriteAsync(Models, $"uploads/{name}");
        await WriteAsync(_account.Blobs.GetBlobContainerClient(Containers.Jobs), $"payloads/{name}");

        var (candidates, now) = await Blobs.FindAsync(Waits, Cancellation);

        now.ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        candidates.Where(candidate => candidate.Name.EndsWith(name, StringComparison.Ordinal)).Select(candidate => (candidate.Name, candidate.Wait)).ShouldBe(
            [($"models/partial/{name}", Waits.Download), ($"models/uploads/{name}", Waits.Upload), ($"jobs/payloads/{name}", Waits.Payload)]);
    }

    [Fact]
    public async Task Find_OutputWithoutARecordAndWithOne_IsTheFirst()
    {
        await StartAsync();
        JobRecordStore store = new(_account);
        string orphan = NewId(), owned = NewId();
        await store.Output(orphan).CreateIfNotExistsAsync(Cancellation);
        await store.Output(owned).CreateIfNotExistsAsync(Cancellation);
        await WriteAsync(_account.Blobs.GetBlobContainerClient(Containers.Jobs), $"records/{owned}");

        string[] names = await NamesAsync();

        names.ShouldContain($"jobs/output/{orphan}");
        names.ShouldNotContain($"jobs/output/{owned}");
    }

    [Fact]
    public async Task Find_DownloadUnderWay_IsNone()
    {
        string name = await StartAsync();
        BlobClient blob = await WriteAsync(Models, $"partial/{name}");
        await blob.GetBlobLeaseClient().AcquireAsync(TimeSpan.FromSeconds(15), cancellationToken: Cancellation);

        (await NamesAsync()).ShouldNotContain($"models/partial/{name}");
    }

    [Fact]
    public async Task Delete_AsItWasFound_IsGoneAndThenNoMore()
    {
        string name = await StartAsync();
        BlobClient blob = await WriteAsync(Models, $"uploads/{name}");
        OrphanCandidate found = await FindAsync($"models/uploads/{name}");

        (await Blobs.DeleteAsync(found, Cancellation)).ShouldBeTrue();

        (await blob.ExistsAsync(Cancellation)).Value.ShouldBeFalse();
        (await Blobs.DeleteAsync(found, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Delete_ChangedOrTakenSince_IsKept()
    {
        string changed = await StartAsync(), taken = $"{changed}-taken";
        BlobClient blob = await WriteAsync(Models, $"uploads/{changed}");
        BlobClient leased = await WriteAsync(Models, $"uploads/{taken}");
        OrphanCandidate old = await FindAsync($"models/uploads/{changed}"), free = await FindAsync($"models/uploads/{taken}");
        await blob.UploadAsync(new BinaryData("two"), overwrite: true, Cancellation);
        await leased.GetBlobLeaseClient().AcquireAsync(TimeSpan.FromSeconds(15), cancellationToken: Cancellation);

        (await Blobs.DeleteAsync(old, Cancellation)).ShouldBeFalse();
        (await Blobs.DeleteAsync(free, Cancellation)).ShouldBeFalse();

        (await blob.ExistsAsync(Cancellation)).Value.ShouldBeTrue();
        (await leased.ExistsAsync(Cancellation)).Value.ShouldBeTrue();
    }

    private static string NewId() => JobId.New(TimeProvider.System);

    private static async Task<BlobClient> WriteAsync(BlobContainerClient container, string name)
    {
        BlobClient blob = container.GetBlobClient(name);
        await blob.UploadAsync(new BinaryData("one"), Cancellation);
        return blob;
    }

    private async Task<string> StartAsync()
    {
        await _account.CreateContainersAsync(Cancellation);
        return Guid.NewGuid().ToString("n");
    }

    private async Task<string[]> NamesAsync() => [.. (await Blobs.FindAsync(Waits, Cancellation)).Candidates.Select(candidate => candidate.Name)];

    private async Task<OrphanCandidate> FindAsync(string name) =>
        (await Blobs.FindAsync(Waits, Cancellation)).Candidates.Single(candidate => candidate.Name == name);
}

using System.IO.Pipelines;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Cluster;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.Storage.Cluster;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Cluster;

public sealed class OrphanBlobsTests(AzuriteFixture azurite)
{
    private static readonly OrphanWaits Waits = new(TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(1), TimeSpan.FromHours(25), TimeSpan.FromHours(26), TimeSpan.FromDays(8), TimeSpan.FromDays(2));

    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private HashSet<string> InUse { get; } = [];

    private HashSet<string> Copied { get; } = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private OrphanBlobs Blobs => new(_account, Queues);

    private JobQueues Queues => new(_account, TimeProvider.System);

    private BlobContainerClient Cluster => _account.Blobs.GetBlobContainerClient(Containers.Cluster);

    private BlobContainerClient Models => _account.Blobs.GetBlobContainerClient(Containers.Models);

    [Fact]
    public async Task Find_EachKind_IsFoundWithItsWait()
    {
        string name = await StartAsync();
        await WriteAsync(Models, $"partial/{name}");
        await WriteAsync(Models, $"uploads/{name}");
        await WriteAsync(_account.Blobs.GetBlobContainerClient(Containers.Jobs), $"payloads/{name}");

        var (candidates, now) = await Blobs.FindAsync(Waits, InUse, Copied, Cancellation);

        now.ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        candidates.Where(candidate => candidate.Name.EndsWith(name, StringComparison.Ordinal)).Select(candidate => (candidate.Name, candidate.Wait)).ShouldBe(
            [($"models/partial/{name}", Waits.Download), ($"models/uploads/{name}", Waits.Upload), ($"jobs/payloads/{name}", Waits.Payload)]);
    }

    [Fact]
    public async Task Find_HeartbeatOfAWorkerThatIsSilentForLong_IsFoundAndKeptIfItReportsAgain()
    {
        string name = await StartAsync(), other = $"{name}-other";
        BlobClient heartbeat = await WriteAsync(Cluster, Heartbeats.Prefix + name);
        await WriteAsync(Cluster, Heartbeats.Prefix + other);
        (await NamesAsync()).ShouldNotContain($"cluster/workers/{name}");

        OrphanCandidate[] found = [.. (await Blobs.FindAsync(Waits with { Heartbeat = TimeSpan.Zero }, InUse, Copied, Cancellation)).Candidates];
        OrphanCandidate back = found.Single(candidate => candidate.Name == $"cluster/workers/{name}"), away = found.Single(candidate => candidate.Name == $"cluster/workers/{other}");
        await heartbeat.UploadAsync(new BinaryData("back"), overwrite: true, Cancellation);

        back.Wait.ShouldBe(TimeSpan.Zero);
        (await Blobs.DeleteAsync(back, Cancellation)).ShouldBeFalse();
        (await Blobs.DeleteAsync(away, Cancellation)).ShouldBeTrue();
    }

    [Fact]
    public async Task Find_JoinTokenThatNobodyUsed_IsFoundAndLetsNobodyInOnceDeleted()
    {
        await StartAsync();
        WorkerEnrolments enrolments = new(_account, TimeProvider.System);
        HashSet<string> before = [.. await NamesAsync()];
        (string token, _) = await enrolments.CreateJoinTokenAsync(TimeSpan.FromHours(1), Cancellation);

        OrphanCandidate found = (await Blobs.FindAsync(Waits, InUse, Copied, Cancellation)).Candidates.Single(
            candidate => candidate.Name.StartsWith("cluster/join-tokens/", StringComparison.Ordinal) && !before.Contains(candidate.Name));

        found.Wait.ShouldBe(Waits.JoinToken);
        (await Blobs.DeleteAsync(found, Cancellation)).ShouldBeTrue();
        (await enrolments.EnrolAsync(token, "late", "key", Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Find_OutputWithoutARecordAndWithOne_IsTheFirst()
    {
        await StartAsync();
        JobRecordStore store = new(_account, ContentKeys.None);
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
    public async Task Find_ContentThatNoManifestNames_IsFoundUnlessSomebodyUsesIt()
    {
        await StartAsync();
        ModelBlobs content = new(_account.Blobs);
        string unnamed = await UploadAsync(content), used = await UploadAsync(content), named = await UploadAsync(content);
        await NameAsync(named);
        InUse.Add(used);

        OrphanCandidate[] found = [.. (await Blobs.FindAsync(Waits, InUse, Copied, Cancellation)).Candidates];

        found.Single(candidate => candidate.Name == $"models/{ModelPaths.Blob(unnamed)}").Wait.ShouldBe(Waits.Content);
        string[] names = [.. found.Select(candidate => candidate.Name)];
        names.ShouldNotContain($"models/{ModelPaths.Blob(used)}");
        names.ShouldNotContain($"models/{ModelPaths.Blob(named)}");
        names.ShouldNotContain($"models/{ModelPaths.Chunks(unnamed)}", "its content is there");
    }

    [Fact]
    public async Task Find_ListOfChunksWithoutItsContent_IsFound()
    {
        await StartAsync();
        string digest = await UploadAsync(new ModelBlobs(_account.Blobs));
        await Models.GetBlobClient(ModelPaths.Blob(digest)).DeleteAsync(cancellationToken: Cancellation);

        (await NamesAsync()).ShouldContain($"models/{ModelPaths.Chunks(digest)}");
    }

    [Fact]
    public async Task Delete_ContentIsNamedAfterItWasFound_IsKept()
    {
        await StartAsync();
        string digest = await UploadAsync(new ModelBlobs(_account.Blobs));
        OrphanCandidate found = await FindAsync($"models/{ModelPaths.Blob(digest)}");

        await NameAsync(digest);

        (await Blobs.DeleteAsync(found, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Name_ContentIsGone_IsRefused()
    {
        await StartAsync();
        string digest = await UploadAsync(new ModelBlobs(_account.Blobs));
        (await Blobs.DeleteAsync(await FindAsync($"models/{ModelPaths.Blob(digest)}"), Cancellation)).ShouldBeTrue();

        (await TryNameAsync(digest)).ShouldBeFalse();
    }

    [Fact]
    public async Task Find_ManifestThatCannotBeRead_NoContentIsFound()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        Copied.Add(await UploadAsync(new ModelBlobs(account.Blobs)));
        await WriteAsync(account.Blobs.GetBlobContainerClient(Containers.Models), "manifests/host/ns/damaged/latest");

        (await new OrphanBlobs(account, new JobQueues(account, TimeProvider.System)).FindAsync(Waits, InUse, Copied, Cancellation)).Candidates.ShouldBeEmpty();
    }

    [Fact]
    public async Task Find_CopiesOnDisks_ThoseThatNobodyNamesOrRunsAreFoundWhetherOrNotStorageHasThem()
    {
        await StartAsync();
        ModelBlobs blobs = new(_account.Blobs);
        string named = await UploadAsync(blobs), unnamed = await UploadAsync(blobs), used = await UploadAsync(blobs), gone = ModelDigest.Of([.. "gone"u8]);
        await NameAsync(named);
        InUse.Add(used);
        Copied.UnionWith([named, unnamed, used, gone]);

        OrphanCandidate[] found = [.. (await Blobs.FindAsync(Waits, InUse, Copied, Cancellation)).Candidates.Where(candidate => OrphanCandidate.IsCopy(candidate.Name))];

        found.ShouldBe([OrphanCandidate.Copy(unnamed, Waits.Content), OrphanCandidate.Copy(gone, Waits.Content)], ignoreOrder: true);
    }

    /// <summary>An account that is new, or is being restored: all disks would be emptied for it.</summary>
    [Fact]
    public async Task Find_CopiesOnDisksAndNoNameAtAll_NoneIsFound()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        Copied.Add(ModelDigest.Of([1]));

        (await new OrphanBlobs(account, new JobQueues(account, TimeProvider.System)).FindAsync(Waits, InUse, Copied, Cancellation)).Candidates.ShouldBeEmpty();
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

    [Fact]
    public async Task Find_EmptyQueueOfAModelThatIsGone_IsFound()
    {
        await StartAsync();
        string gone = NewDigest(), waitedFor = NewDigest(), used = NewDigest(), there = await UploadAsync(new ModelBlobs(_account.Blobs));
        foreach (string digest in (string[])[gone, waitedFor, used, there])
            await PutAsync(digest, isTaken: digest != waitedFor);
        InUse.Add(used);

        OrphanCandidate[] found = [.. (await Blobs.FindAsync(Waits, InUse, Copied, Cancellation)).Candidates];

        found.Single(candidate => candidate.Name == QueueOf(gone)).Wait.ShouldBe(Waits.Content);
        found.Select(candidate => candidate.Name).ShouldNotContain(name => name == QueueOf(waitedFor) || name == QueueOf(used) || name == QueueOf(there));
    }

    [Fact]
    public async Task Delete_Queue_GoesUnlessAMessageCameSince()
    {
        await StartAsync();
        string gone = NewDigest(), askedFor = NewDigest();
        await PutAsync(gone, isTaken: true);
        await PutAsync(askedFor, isTaken: true);
        OrphanCandidate empty = await FindAsync(QueueOf(gone)), other = await FindAsync(QueueOf(askedFor));
        await PutAsync(askedFor, isTaken: false);

        (await Blobs.DeleteAsync(empty, Cancellation)).ShouldBeTrue();
        (await Blobs.DeleteAsync(other, Cancellation)).ShouldBeFalse();

        (await Blobs.DeleteAsync(empty, Cancellation)).ShouldBeFalse();
        IReadOnlyDictionary<string, int> counts = await Queues.CountAsync(Cancellation);
        counts.Keys.ShouldNotContain(JobQueueName.For(gone, Band.Batch));
        counts[JobQueueName.For(askedFor, Band.Batch)].ShouldBe(1);
        await PutAsync(gone, isTaken: false);
    }

    private static string NewDigest() => ModelDigest.Of(Guid.NewGuid().ToByteArray());

    private static string QueueOf(string digest) => $"queues/{JobQueueName.For(digest, Band.Batch)}";

    private async Task PutAsync(string digest, bool isTaken)
    {
        var (messageId, popReceipt) = await Queues.EnqueueAsync(
            new QueuedJob(ProtocolVersion.Current, "job", digest, Band.Batch, Reply: null), TimeSpan.FromMinutes(10), Cancellation);
        if (isTaken)
            await Queues.DeleteAsync(digest, Band.Batch, messageId, popReceipt, Cancellation);
    }

    private static async Task<string> UploadAsync(ModelBlobs blobs)
    {
        byte[] content = Guid.NewGuid().ToByteArray();
        string digest = ModelDigest.Of(content);
        (await blobs.UploadAsync(digest, PipeReader.Create(new MemoryStream(content)), Cancellation)).ShouldBeNull();
        return digest;
    }

    private async Task NameAsync(string digest) => (await TryNameAsync(digest)).ShouldBeTrue();

    private async Task<bool> TryNameAsync(string digest)
    {
        string config = await UploadAsync(new ModelBlobs(_account.Blobs));
        ModelManifest manifest = new()
        {
            Config = new(ModelManifest.ConfigMediaType, config, 16),
            Layers = [new ModelLayer(ModelLayer.Model, digest, 16)],
        };
        return await new ManifestWriter(Models).WriteAsync(ModelName.Parse($"orphan{Guid.NewGuid():n}"), manifest, Cancellation);
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

    private async Task<string[]> NamesAsync() => [.. (await Blobs.FindAsync(Waits, InUse, Copied, Cancellation)).Candidates.Select(candidate => candidate.Name)];

    private async Task<OrphanCandidate> FindAsync(string name) =>
        (await Blobs.FindAsync(Waits, InUse, Copied, Cancellation)).Candidates.Single(candidate => candidate.Name == name);
}

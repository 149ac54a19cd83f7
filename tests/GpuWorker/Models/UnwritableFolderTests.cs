using OllamaMax.GpuWorker.Models;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Copies that cannot be had, and folders where none can be made.</summary>
public sealed class UnwritableFolderTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private ReplicaBox _box = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _box = await ReplicaBox.StartAsync(azurite);

    public ValueTask DisposeAsync() => _box.DisposeAsync();

    [Fact]
    public async Task Ensure_FolderIsReadOnly_SaysSoUntilItIsNot()
    {
        using SmallDisk? disk = SmallDisk.TryMount(16 << 20);
        Assert.SkipWhen(disk is null, "no tmpfs can be mounted here");
        var (first, _) = await _box.PublishAsync(1, chunks: 2);
        var (second, _) = await _box.PublishAsync(2, chunks: 2);
        ReplicaStore store = _box.Store(budget: 8 << 20, folder: disk.Path);
        await store.EnsureAsync(first, Cancellation);

        disk.MakeReadOnly(true);
        await store.EnsureAsync(second, Cancellation);
        store.Pin(new HashSet<string> { first });

        ReplicaTransfer failed = store.Transfers.ShouldHaveSingleItem();
        failed.Error!.ShouldContain("Read-only file system");
        (store.DiskError, store.Room, store.Evictable).ShouldSatisfyAllConditions(
            disk => disk.DiskError!.ShouldStartWith("Read-only file system"), disk => disk.Room.ShouldBe(0), disk => disk.Evictable.ShouldBeNull());
        (await store.HoldAsync(first, Cancellation)).Dispose();
        disk.MakeReadOnly(false);
        store.DiskError.ShouldNotBeNull("it is looked at each minute");
        _box.Time.Advance(TimeSpan.FromMinutes(1));
        store.DiskError.ShouldBeNull();
        store.Room.ShouldBeGreaterThan(0);
        await store.EnsureAsync(second, Cancellation);
        store.List().ShouldBe([first, second], ignoreOrder: true);
    }

    [Fact]
    public async Task Evict_FolderIsReadOnly_IsFoundOut()
    {
        using SmallDisk? disk = SmallDisk.TryMount(16 << 20);
        Assert.SkipWhen(disk is null, "no tmpfs can be mounted here");
        var (digest, _) = await _box.PublishAsync(1, chunks: 2);
        ReplicaStore store = _box.Store(folder: disk.Path);
        await store.EnsureAsync(digest, Cancellation);
        disk.MakeReadOnly(true);

        (await store.EvictAsync([digest], Cancellation)).ShouldBeEmpty();

        store.DiskError.ShouldNotBeNull().ShouldStartWith("Read-only file system");
        disk.MakeReadOnly(false);
    }

    [Fact]
    public void Failures_TriedInVainAgainAndAgain_LastLongerEachTime()
    {
        FetchFailures failures = new(_box.Time);
        string digest = ModelDigest.Of([1]);
        List<int> minutes = [];

        for (int i = 0; i < 6; i++)
        {
            Fail();
            // Requests have it tried meanwhile.
            Fail();
            int waited = 0;
            for (; failures.Find(digest) is not null; waited++)
                _box.Time.Advance(TimeSpan.FromMinutes(1));
            minutes.Add(waited);
        }
        failures.Forget(digest);
        Fail();
        _box.Time.Advance(TimeSpan.FromMinutes(2));

        minutes.ShouldBe([2, 4, 8, 16, 32, 32]);
        failures.Find(digest).ShouldBeNull("it was here in between");

        void Fail() => failures.Add(new(digest, 0, 0, 0) { Error = "none" });
    }

    [Fact]
    public async Task Resume_Failed_MayBeMadeAtOnce()
    {
        string digest = ModelDigest.Of([1]);
        ReplicaStore store = _box.Store();
        await store.EnsureAsync(digest, Cancellation);

        store.HasFailed(digest).ShouldBeTrue();
        store.Resume(digest).ShouldBeTrue();

        store.HasFailed(digest).ShouldBeFalse();
        store.Transfers.ShouldBeEmpty();
    }
}

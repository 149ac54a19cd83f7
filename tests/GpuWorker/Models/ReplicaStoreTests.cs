using OllamaMax.GpuWorker.Models;
using OllamaMax.Models;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Copies from a real storage to a real disk.</summary>
public sealed class ReplicaStoreTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private const int Chunks = 20;

    private ReplicaBox _box = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _box = await ReplicaBox.StartAsync(azurite);

    public ValueTask DisposeAsync() => _box.DisposeAsync();

    [Fact]
    public async Task Hold_NotHere_IsFetchedPieceByPiece()
    {
        var (digest, content) = await _box.PublishAsync(1, Chunks);
        ReplicaStore store = _box.Store();

        using Replica replica = await store.HoldAsync(digest, Cancellation);

        (await File.ReadAllBytesAsync(replica.Path, Cancellation)).ShouldBe(content);
        _box.Gate.Pieces.ShouldBe(Chunks);
        store.List().ShouldBe([digest]);
        store.Transfers.ShouldBeEmpty();
        File.Exists(_box.PathOf(digest) + ".partial").ShouldBeFalse();
    }

    [Fact]
    public async Task Hold_ByTwoWorkersOfTheBox_IsFetchedOnce()
    {
        var (digest, content) = await _box.PublishAsync(1, Chunks);
        ReplicaStore one = _box.Store(time: TimeProvider.System), other = _box.Store(time: TimeProvider.System);

        Replica[] replicas = await Task.WhenAll(one.HoldAsync(digest, Cancellation), one.HoldAsync(digest, Cancellation), other.HoldAsync(digest, Cancellation));

        _box.Gate.Pieces.ShouldBe(Chunks);
        (await File.ReadAllBytesAsync(replicas[2].Path, Cancellation)).ShouldBe(content);
        Array.ForEach(replicas, replica => replica.Dispose());
    }

    [Fact]
    public async Task Hold_PieceIsDamagedOrCutOnItsWay_IsAskedForAgain()
    {
        var (digest, content) = await _box.PublishAsync(1, Chunks);
        _box.Gate.Change = (number, body) => number switch { 3 => Flipped(body, 100), 5 => body[..1000], _ => body };
        ReplicaStore store = _box.Store(time: TimeProvider.System);

        using Replica replica = await store.HoldAsync(digest, Cancellation);

        (await File.ReadAllBytesAsync(replica.Path, Cancellation)).ShouldBe(content);
        _box.Gate.Pieces.ShouldBe(Chunks + 2);
    }

    [Fact]
    public async Task Hold_PieceIsDamagedInStorage_FailsAndNothingIsServed()
    {
        var (digest, _) = await _box.PublishAsync(1, Chunks, content => Flipped(content, 7 * ReplicaBox.ChunkSize));
        ReplicaStore store = _box.Store();

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => store.HoldAsync(digest, Cancellation));

        failure.Message.ShouldContain($"is damaged in storage: its bytes from {7 * ReplicaBox.ChunkSize} on");
        store.List().ShouldBeEmpty();
        store.Transfers.ShouldHaveSingleItem().Error.ShouldBe(failure.Message);
    }

    [Fact]
    public async Task Hold_StorageHasLessThanItsListSays_Fails()
    {
        var (digest, _) = await _box.PublishAsync(1, Chunks, content => content[..(5 * ReplicaBox.ChunkSize)]);

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => _box.Store().HoldAsync(digest, Cancellation));

        failure.Message.ShouldContain("ends in storage after");
    }

    [Fact]
    public async Task Hold_ListIsOfOtherContentThanTheName_FailsAndIsThrownAway()
    {
        byte[] content = [1, 2, 3];
        string digest = ModelDigest.Of([9, 9, 9]);
        await _box.WriteAsync(digest, content, ReplicaBox.ListOf(digest, content));
        ReplicaStore store = _box.Store();

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => store.HoldAsync(digest, Cancellation));

        failure.Message.ShouldContain($"has the digest {ModelDigest.Of(content)}; it was thrown away");
        store.List().ShouldBeEmpty();
        File.Exists(_box.PathOf(digest) + ".partial").ShouldBeFalse();
    }

    [Fact]
    public async Task Hold_ClusterHasNoSuchModel_SaysSo()
    {
        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => _box.Store().HoldAsync(ModelDigest.Of([1]), Cancellation));

        failure.Message.ShouldStartWith("the cluster has no model sha256:");
    }

    [Fact]
    public async Task Hold_DeletedFromStorageMeanwhile_Fails()
    {
        var (digest, _) = await _box.PublishAsync(1, Chunks);
        _box.Gate.Before = (number, _) => number == Chunks / 2 ? _box.DeleteAsync(digest) : Task.CompletedTask;

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => _box.Store().HoldAsync(digest, Cancellation));

        failure.Message.ShouldStartWith("the cluster has no model sha256:");
    }

    [Fact]
    public async Task Hold_StorageIsAwayForAWhile_GoesOnWhenItIsBack()
    {
        var (digest, content) = await _box.PublishAsync(1, chunks: 1);
        _box.Gate.IsAway = number => number <= 3;
        Task<Replica> holding = _box.Store().HoldAsync(digest, Cancellation);

        foreach (double seconds in (double[])[0.5, 1, 2])
        {
            await _box.Time.WaitForTimerAsync(TimeSpan.FromSeconds(seconds), Cancellation);
            _box.Time.Advance(TimeSpan.FromSeconds(seconds));
        }

        using Replica replica = await holding;
        (await File.ReadAllBytesAsync(replica.Path, Cancellation)).ShouldBe(content);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, Chunks / 2)]
    public async Task Hold_CopyIsDamagedOrCutOff_OnlyWhatIsWrongComesAgain(bool isCutOff, int pieces)
    {
        var (digest, content) = await _box.PublishAsync(1, Chunks);
        ReplicaStore store = _box.Store();
        (await store.HoldAsync(digest, Cancellation)).Dispose();
        byte[] damaged = isCutOff ? content[..(Chunks / 2 * ReplicaBox.ChunkSize)] : Flipped(content, content.Length - 1);
        await File.WriteAllBytesAsync(_box.PathOf(digest), damaged, Cancellation);

        using Replica replica = await store.HoldAsync(digest, Cancellation);

        (await File.ReadAllBytesAsync(replica.Path, Cancellation)).ShouldBe(content);
        _box.Gate.Pieces.ShouldBe(Chunks + pieces);
    }

    [Fact]
    public async Task Hold_CancelledInBetween_GoesOnWhereItWas()
    {
        var (digest, content) = await _box.PublishAsync(1, Chunks);
        TaskCompletionSource half = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _box.Gate.Before = (number, gone) =>
        {
            if (number < Chunks / 2)
                return Task.CompletedTask;
            half.TrySetResult();
            return new TaskCompletionSource().Task.WaitAsync(gone);
        };
        ReplicaStore store = _box.Store();
        Task<Replica> holding = store.HoldAsync(digest, Cancellation);
        await await Task.WhenAny(half.Task.WaitAsync(Cancellation), holding);

        store.Cancel(digest).ShouldBeTrue();

        (await Should.ThrowAsync<ReplicaException>(holding)).Message.ShouldContain("was cancelled");
        store.HasFailed(digest).ShouldBeTrue();
        int before = _box.Gate.Pieces;
        _box.Gate.Before = (_, _) => Task.CompletedTask;
        (await Should.ThrowAsync<ReplicaException>(() => store.HoldAsync(digest, Cancellation))).Message.ShouldEndWith("was cancelled; it is not begun again for 15 min");
        _box.Time.Advance(TimeSpan.FromMinutes(15));
        using Replica replica = await store.HoldAsync(digest, Cancellation);
        (await File.ReadAllBytesAsync(replica.Path, Cancellation)).ShouldBe(content);
        // Those that were on their way when it ended are the ones that come again.
        before.ShouldBeInRange(Chunks / 2, (Chunks / 2) + ChunkCopy.Lanes);
        _box.Gate.Pieces.ShouldBeLessThanOrEqualTo(Chunks + ChunkCopy.Lanes);
    }

    [Fact]
    public async Task Hold_BudgetIsFull_TheLongestUnusedGoesButNoneInUseOrPinned()
    {
        const long budget = 3 * 5 * ReplicaBox.ChunkSize;
        ReplicaStore store = _box.Store(budget);
        List<string> digests = [];
        for (int seed = 0; seed < 5; seed++)
            digests.Add((await _box.PublishAsync(seed, chunks: 5)).Digest);
        using Replica inUse = await store.HoldAsync(digests[0], Cancellation);
        await UseAsync(store, digests[1]);
        await UseAsync(store, digests[2]);
        store.Pin(new HashSet<string> { digests[1] });

        await UseAsync(store, digests[3]);

        store.List().ShouldBe([digests[0], digests[1], digests[3]], ignoreOrder: true);
        using Replica alsoInUse = await store.HoldAsync(digests[3], Cancellation);
        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => store.HoldAsync(digests[4], Cancellation));
        failure.Message.ShouldContain("pinned, in use or on their way");
        store.List().Count.ShouldBe(3);
    }

    [Fact]
    public async Task Hold_WhatMayGoIsNotEnough_NothingGoes()
    {
        ReplicaStore store = _box.Store(budget: 3 * 5 * ReplicaBox.ChunkSize);
        List<string> digests = [];
        for (int seed = 0; seed < 4; seed++)
            digests.Add((await _box.PublishAsync(seed, chunks: seed == 3 ? 8 : 5)).Digest);
        using Replica inUse = await store.HoldAsync(digests[0], Cancellation);
        await UseAsync(store, digests[1]);
        await UseAsync(store, digests[2]);
        store.Pin(new HashSet<string> { digests[1] });

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => store.HoldAsync(digests[3], Cancellation));

        failure.Message.ShouldContain("pinned, in use or on their way");
        store.List().ShouldBe(digests[..3], ignoreOrder: true);
    }

    [Fact]
    public async Task Hold_AnotherWorkerOfTheBoxIsTakingTheRoom_IsNotMade()
    {
        const long budget = 5 * ReplicaBox.ChunkSize;
        string first = (await _box.PublishAsync(1, chunks: 5)).Digest, second = (await _box.PublishAsync(2, chunks: 5)).Digest;
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously), passes = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _box.Gate.Before = (_, gone) =>
        {
            asked.TrySetResult();
            return passes.Task.WaitAsync(gone);
        };
        Task<Replica> holding = _box.Store(budget).HoldAsync(first, Cancellation);
        await await Task.WhenAny(asked.Task.WaitAsync(Cancellation), holding);

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => _box.Store(budget).HoldAsync(second, Cancellation));

        failure.Message.ShouldContain("on their way");
        passes.SetResult();
        using Replica replica = await holding;
        Directory.GetFiles(Path.GetDirectoryName(replica.Path)!).Select(Path.GetFileName).ShouldBe(
            [Path.GetFileName(replica.Path), Path.GetFileName(replica.Path) + ".chunks", "lock"], ignoreOrder: true);
    }

    [Fact]
    public async Task Hold_LargerThanTheBudget_SaysSo()
    {
        var (digest, _) = await _box.PublishAsync(1, Chunks);

        ReplicaException failure = await Should.ThrowAsync<ReplicaException>(() => _box.Store(budget: ReplicaBox.ChunkSize).HoldAsync(digest, Cancellation));

        failure.Message.ShouldEndWith("and the disk budget is 1 MB");
    }

    [Fact]
    public async Task Hold_DiskIsFull_SaysSoAndLeavesTheRoomToOthers()
    {
        using SmallDisk? disk = SmallDisk.TryMount(Chunks / 2 * ReplicaBox.ChunkSize);
        Assert.SkipWhen(disk is null, "no tmpfs can be mounted here");
        var (digest, _) = await _box.PublishAsync(1, Chunks);

        ReplicaException tooSmall = await Should.ThrowAsync<ReplicaException>(() => _box.Store(folder: disk.Path).HoldAsync(digest, Cancellation));
        ReplicaException budgeted = await Should.ThrowAsync<ReplicaException>(() => _box.Store(budget: 1 << 30, folder: disk.Path).HoldAsync(digest, Cancellation));
        // What seems to be there already takes no room yet.
        await using (FileStream hole = File.Create(Path.Combine(disk.Path, ModelDigest.FileName(digest)) + ".partial"))
            hole.SetLength(Chunks * ReplicaBox.ChunkSize);
        ReplicaException full = await Should.ThrowAsync<ReplicaException>(() => _box.Store(folder: disk.Path).HoldAsync(digest, Cancellation));

        tooSmall.Message.ShouldEndWith("needs 2 MB of disk, and 0 MB are free");
        budgeted.Message.ShouldBe(tooSmall.Message);
        full.Message.ShouldStartWith("the disk is full");
        Directory.GetFiles(disk.Path).ShouldBe([Path.Combine(disk.Path, "lock")]);
    }

    /// <summary>Others fill a disk too. Copying until it is full, and deleting that again, would go on for ever.</summary>
    [Fact]
    public async Task Hold_DiskIsSmallerThanTheBudget_IdleCopiesMakeWay()
    {
        using SmallDisk? disk = SmallDisk.TryMount((Chunks + 1) * ReplicaBox.ChunkSize);
        Assert.SkipWhen(disk is null, "no tmpfs can be mounted here");
        var (first, _) = await _box.PublishAsync(1, Chunks);
        var (second, _) = await _box.PublishAsync(2, Chunks);
        ReplicaStore store = _box.Store(budget: 1 << 30, folder: disk.Path);
        await UseAsync(store, first);

        store.Room.ShouldBeLessThan(2 * ReplicaBox.ChunkSize);
        await UseAsync(store, second);

        store.List().ShouldBe([second]);
    }

    [Fact]
    public async Task Evict_InUseByAnotherWorkerOfTheBox_WaitsForItsEnd()
    {
        var (digest, _) = await _box.PublishAsync(1, chunks: 2);
        ReplicaStore user = _box.Store(), other = _box.Store();
        Replica replica = await user.HoldAsync(digest, Cancellation);

        (await other.EvictAsync([digest], Cancellation)).ShouldBeEmpty();
        File.Exists(replica.Path).ShouldBeTrue();
        replica.Dispose();

        (await other.EvictAsync([digest], Cancellation)).ShouldBe([digest]);
        Directory.GetFiles(Path.GetDirectoryName(replica.Path)!).Select(Path.GetFileName).ShouldBe(["lock"]);
    }

    /// <summary>Who has the folder's lock may have seen that the copy, or the begin of one, is there, and be about to go on with it.</summary>
    [Fact]
    public async Task Evict_WhileAnotherWorkerOfTheBoxLooks_WaitsForIt()
    {
        var (digest, _) = await _box.PublishAsync(1, chunks: 2);
        ReplicaStore store = _box.Store();
        Replica replica = await store.HoldAsync(digest, Cancellation);
        replica.Dispose();
        Task<IReadOnlyList<string>> evicted;
        using (new FileStream(Path.Combine(Path.GetDirectoryName(replica.Path)!, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            evicted = store.EvictAsync([digest], Cancellation);
            evicted.IsCompleted.ShouldBeFalse();
            store.List().ShouldBe([digest]);
        }

        (await evicted).ShouldBe([digest]);
    }

    private async Task UseAsync(ReplicaStore store, string digest)
    {
        _box.Time.Advance(TimeSpan.FromMinutes(1));
        (await store.HoldAsync(digest, Cancellation)).Dispose();
    }

    private static byte[] Flipped(byte[] content, int at)
    {
        byte[] flipped = [.. content];
        flipped[at] ^= 1;
        return flipped;
    }
}

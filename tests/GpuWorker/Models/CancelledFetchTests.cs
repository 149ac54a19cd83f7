using OllamaMax.GpuWorker.Models;
using OllamaMax.Models;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Copies that people do not want to be made, until they want them after all.</summary>
public sealed class CancelledFetchTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private ReplicaBox _box = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _box = await ReplicaBox.StartAsync(azurite);

    public ValueTask DisposeAsync() => _box.DisposeAsync();

    /// <summary>Another worker of the box was making it, or others have failed since.</summary>
    [Fact]
    public async Task Cancel_NotOnItsWay_HoldsWhateverElseFails()
    {
        var (digest, _) = await _box.PublishAsync(1, chunks: 2);
        ReplicaStore store = _box.Store();

        store.Cancel(digest).ShouldBeTrue();
        for (byte i = 0; i < 6; i++)
            await store.EnsureAsync(ModelDigest.Of([i]), Cancellation);

        store.IsCancelled(digest).ShouldBeTrue();
        store.Transfers.Single(transfer => transfer.Digest == digest).Cancelled.ShouldBe(true);
        _box.Time.Advance(TimeSpan.FromMinutes(15));
        (await store.HoldAsync(digest, Cancellation)).Dispose();
        store.Cancel(digest).ShouldBeFalse("it is here");
    }

    /// <summary>A policy of many models that was a mistake: each that is ended makes room for the next.</summary>
    [Fact]
    public void Cancel_TenOneAfterTheOther_AllHold()
    {
        ReplicaStore store = _box.Store();
        string[] digests = [.. Enumerable.Range(0, 10).Select(index => ModelDigest.Of([(byte)index]))];

        foreach (string digest in digests)
            store.Cancel(digest);

        digests.ShouldAllBe(digest => store.IsCancelled(digest));
        store.Transfers.Count.ShouldBe(digests.Length);
    }

    [Fact]
    public async Task Resume_Cancelled_ComesAtOnce()
    {
        var (digest, _) = await _box.PublishAsync(1, chunks: 2);
        ReplicaStore store = _box.Store();
        store.Cancel(digest);

        store.Resume(digest).ShouldBeTrue();

        store.IsCancelled(digest).ShouldBeFalse();
        store.HasFailed(digest).ShouldBeFalse("the leader's orders are heeded");
        (await store.HoldAsync(digest, Cancellation)).Dispose();
        store.Resume(digest).ShouldBeFalse("it was not cancelled");
    }

    /// <summary>What was asked of storage is still unanswered: the end of the cancelled one is not to be mistaken for that of the next, nor to cancel it.</summary>
    [Fact]
    public async Task Resume_TheCancelledOneIsStillEnding_TheNextBeginsBehindIt()
    {
        var (digest, content) = await _box.PublishAsync(1, chunks: 2);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously), go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _box.Gate.Before = (_, gone) =>
        {
            asked.TrySetResult();
            return go.Task.WaitAsync(gone);
        };
        ReplicaStore store = _box.Store();
        Task<Replica> first = store.HoldAsync(digest, Cancellation);
        await await Task.WhenAny(asked.Task.WaitAsync(Cancellation), first);

        // The second comes while the first has been told to end and cannot have ended: its continuation waits for this thread's return from the event.
        Task<Replica>? second = null;
        store.Changed += () =>
        {
            if (second is not null || !store.IsCancelled(digest))
                return;
            second = Task.FromException<Replica>(new InvalidOperationException());
            store.Resume(digest);
            second = store.HoldAsync(digest, Cancellation);
        };
        store.Cancel(digest);
        go.SetResult();

        (await Should.ThrowAsync<ReplicaException>(first)).Message.ShouldContain("was cancelled");
        using Replica replica = await second.ShouldNotBeNull();
        (await File.ReadAllBytesAsync(replica.Path, Cancellation)).ShouldBe(content);
        store.Transfers.ShouldBeEmpty();
    }

    /// <summary>Their model was deleted, say: without a budget nothing else would ever free the disk of them.</summary>
    [Fact]
    public async Task DeleteAbandoned_NotWrittenToForADay_GoesAndNeitherWhatIsMadeNorWhatIsNewer()
    {
        ReplicaStore store = _box.Store();
        var (running, _) = await _box.PublishAsync(1, chunks: 2);
        string old = ModelDigest.Of([1]), newer = ModelDigest.Of([2]);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously), go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _box.Gate.Before = (_, _) =>
        {
            asked.TrySetResult();
            return go.Task;
        };
        Task<Replica> making = store.HoldAsync(running, Cancellation);
        await await Task.WhenAny(asked.Task.WaitAsync(Cancellation), making);
        await WritePartialAsync(old, TimeSpan.FromHours(25));
        await WritePartialAsync(newer, TimeSpan.FromHours(23));
        File.SetLastWriteTimeUtc(_box.PathOf(running) + ".partial", Ago(TimeSpan.FromDays(3)));

        await store.DeleteAbandonedAsync(Cancellation);

        File.Exists(_box.PathOf(old) + ".partial").ShouldBeFalse();
        File.Exists(_box.PathOf(newer) + ".partial").ShouldBeTrue();
        go.SetResult();
        (await making).Dispose();
    }

    private async Task WritePartialAsync(string digest, TimeSpan age)
    {
        await File.WriteAllBytesAsync(_box.PathOf(digest) + ".partial", [1, 2, 3], Cancellation);
        File.SetLastWriteTimeUtc(_box.PathOf(digest) + ".partial", Ago(age));
    }

    private DateTime Ago(TimeSpan age) => (_box.Time.GetUtcNow() - age).UtcDateTime;
}

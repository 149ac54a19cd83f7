using System.Text;
using OllamaMax.Cluster;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Core.Tests.Cluster;

public sealed class FencedStoreTests
{
    private static readonly LeaderTerm First = new(1, "a", Views.Now);
    private static readonly LeaderTerm Second = new(2, "b", Views.Now);
    private static readonly ClusterCommand Observed = new ClusterCommand.Observe([Views.Of("w1", TimeSpan.Zero)]);

    private readonly SimulatedStorage _storage = new(new VirtualWorld(seed: 1));

    [Fact]
    public async Task Read_NoDocument_IsEmptyInEpochZero()
    {
        LeaderDocument<ClusterState> document = await Edge().State.ReadAsync(CancellationToken.None);

        document.ShouldBe(new(2, 0, null, null, 0, ClusterState.Empty));
    }

    [Fact]
    public async Task Apply_WhatWasWritten_IsReadTheSameElsewhere()
    {
        ClusterDocuments edge = Edge();
        await edge.State.TakeOverAsync(First, CancellationToken.None);
        await edge.State.ApplyAsync(First, state => state.Apply(Observed), CancellationToken.None);
        await edge.State.ChangeAsync(state => state.Apply(new ClusterCommand.Drain("c1", "w1", Views.Now)), CancellationToken.None);

        LeaderDocument<ClusterState> document = await Edge().State.ReadAsync(CancellationToken.None);

        document.ShouldSatisfyAllConditions(
            () => (document.Epoch, document.Leader, document.Since, document.Version).ShouldBe((1, "a", Views.Now, 3)),
            () => document.Content.Members["w1"].State.ShouldBe(WorkerState.Alive),
            () => document.Content.Drains["w1"].ShouldBe(Views.Now),
            () => document.Content.Commands.ShouldBe(["c1"]));
    }

    [Fact]
    public async Task Apply_AnotherHasTakenOver_IsRefusedThoughTheOldLeaderHasNotHeardOfIt()
    {
        ClusterDocuments old = Edge(), next = Edge();
        await old.State.TakeOverAsync(First, CancellationToken.None);
        await next.State.TakeOverAsync(Second, CancellationToken.None);

        LeaderDocument<ClusterState>? refused = await old.State.ApplyAsync(First, state => state.Apply(Observed), CancellationToken.None);

        refused.ShouldBeNull();
        (await next.State.ReadAsync(CancellationToken.None)).Content.Members.ShouldBeEmpty();
    }

    [Fact]
    public async Task TakeOver_OlderOrTheSameEpochOfAnother_IsRefused()
    {
        ClusterDocuments edge = Edge();
        await edge.State.TakeOverAsync(Second, CancellationToken.None);

        (await edge.State.TakeOverAsync(First, CancellationToken.None)).ShouldBeFalse();
        (await edge.State.TakeOverAsync(Second with { Leader = "c" }, CancellationToken.None)).ShouldBeFalse();
        (await edge.State.TakeOverAsync(Second, CancellationToken.None)).ShouldBeTrue("its own, whose answer was lost");
    }

    [Fact]
    public async Task Change_SomebodyGetsInBetween_KeepsBoth()
    {
        ClusterDocuments one = Edge(), other = Edge();
        await one.State.ReadAsync(CancellationToken.None);
        await other.State.ChangeAsync(state => state.Apply(new ClusterCommand.Drain("c1", "w1", Views.Now)), CancellationToken.None);

        LeaderDocument<ClusterState> document = await one.State.ChangeAsync(
            state => state.Apply(new ClusterCommand.Drain("c2", "w2", Views.Now)), CancellationToken.None);

        document.Content.Drains.Keys.ShouldBe(["w1", "w2"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("""{"schema":3,"epoch":7,"version":1,"content":{"members":17}}""", "schema 3")]
    [InlineData("""{"schema":1,"epoch":7,"version":1}""", "damaged")]
    [InlineData("""{"schema":1,"epoch":-7,"version":1,"content":{}}""", "damaged")]
    [InlineData("""{"schema":1,"epoch":7,"vers""", "damaged")]
    [InlineData("""[]""", "damaged")]
    [InlineData("""null""", "damaged")]
    [InlineData("", "damaged")]
    public async Task Any_DamagedOrOfANewerVersion_IsRefusedAndKept(string content, string reason)
    {
        StoredDocument written = _storage.Write("state", Encoding.UTF8.GetBytes(content), null, "somebody")!;
        ClusterDocuments edge = Edge();

        Func<Task>[] attempts =
        [
            () => edge.State.ReadAsync(CancellationToken.None),
            () => edge.State.TakeOverAsync(First, CancellationToken.None),
            () => edge.State.ApplyAsync(First, state => state.Apply(Observed), CancellationToken.None),
            () => edge.State.ChangeAsync(state => state.Apply(new ClusterCommand.Undrain("c1", "w1")), CancellationToken.None),
        ];

        foreach (Func<Task> attempt in attempts)
            (await attempt.ShouldThrowAsync<DocumentException>()).Message.ShouldContain(reason);
        _storage.Read("state", null).ShouldBe(written);
    }

    private ClusterDocuments Edge() => new(new DirectDocuments(_storage));

    /// <summary>A storage that answers at once.</summary>
    private sealed class DirectDocuments(SimulatedStorage storage) : IDocumentStore
    {
        public Task<StoredDocument?> ReadAsync(string name, StoredDocument? known, CancellationToken cancellationToken) => Task.FromResult(storage.Read(name, known));

        public Task<StoredDocument?> WriteAsync(string name, ReadOnlyMemory<byte> content, StoredDocument? basis, CancellationToken cancellationToken) =>
            Task.FromResult(storage.Write(name, content, basis, "direct"));
    }
}

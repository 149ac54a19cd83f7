using System.Globalization;
using OllamaMax.Cluster;
using OllamaMax.Leases;
using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Core.Tests.Cluster.Elections;

/// <summary>An edge as far as leading goes: it ticks, and while it leads it writes. It does not always notice in time that it does so no more.</summary>
internal sealed class SimulatedEdge : IAsyncDisposable
{
    private readonly VirtualWorld _world;
    private readonly LeaderElection _election;
    private readonly ClusterDocuments _documents;
    private readonly TimeSpan _tick;
    private bool _hasStopped;
    private int _commands;

    public SimulatedEdge(VirtualWorld world, SimulatedStorage storage, string id, TimeSpan skew, TimeSpan leaseTime, TimeSpan tick)
    {
        _world = world;
        _tick = tick;
        Id = id;
        Node = new VirtualNode(world, skew);
        Access = new SimulatedAccess(world, Node, storage, id);
        _documents = new ClusterDocuments(Access);
        _election = new LeaderElection(id, Access, _documents.All, leaseTime, Node);
        world.After(world.Between(0, tick.TotalSeconds), () => Node.Deliver(Tick));
    }

    public string Id { get; }

    public VirtualNode Node { get; }

    public SimulatedAccess Access { get; }

    public bool IsTicking { get; private set; }

    /// <summary>Wishes of people that come to this edge.</summary>
    public double Wishes { get; set; } = 0.1;

    /// <summary>The epoch that it leads in, as far as it knows.</summary>
    public long? Epoch => Node.IsDead || Node.IsPaused ? null : _election.Current?.Term.Epoch;

    /// <summary>Writes that the fence has refused.</summary>
    public int Refused { get; private set; }

    /// <summary>Ends in an orderly way, between two ticks: the lease is given up.</summary>
    public void Stop()
    {
        _hasStopped = true;
        _world.After(TimeSpan.Zero, () => _ = StopAsync());
    }

    public ValueTask DisposeAsync() => _election.DisposeAsync();

    private async Task StopAsync()
    {
        await DisposeAsync();
        Node.Kill();
    }

    private void Tick()
    {
        _world.After(_tick + _world.Between(0, 0.1), () => Node.Deliver(Tick));
        if (!IsTicking && !_hasStopped)
            _ = TickAsync();
    }

    private async Task TickAsync()
    {
        IsTicking = true;
        try
        {
            if (await _election.TickAsync(CancellationToken.None) is var (term, lost))
                await LeadAsync(term, lost);
            if (_world.Chance(Wishes))
                await WishAsync();
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // The next tick tries again.
        }
        finally
        {
            IsTicking = false;
        }
    }

    private async Task LeadAsync(LeaderTerm term, CancellationToken lost)
    {
        bool looksAway = _world.Chance(0.5);
        for (int writes = _world.Random.Next(1, 4); writes > 0 && (looksAway || !lost.IsCancellationRequested); writes--)
        {
            bool isTaken = _world.Chance(0.5)
                ? await _documents.State.ApplyAsync(term, state => state.Apply(new ClusterCommand.Observe([Views.Of("w1", _world.Between(0, 70))])), CancellationToken.None) is not null
                : await _documents.Orphans.ApplyAsync(term, marks => marks.Look([Candidate()], Node.GetUtcNow()), CancellationToken.None) is not null;
            if (isTaken)
                continue;
            Refused++;
            _election.Refused(term);
        }
    }

    private async Task WishAsync()
    {
        Access.Purpose = ElectionHistory.Wish;
        try
        {
            string id = $"{Id}-{_commands++}";
            await _documents.State.ChangeAsync(
                state => state.Apply(_commands % 2 == 0 ? new ClusterCommand.Undrain(id, "w1") : new ClusterCommand.Drain(id, "w1", Node.GetUtcNow())), CancellationToken.None);
        }
        finally
        {
            Access.Purpose = "";
        }
    }

    private OrphanCandidate Candidate() => new("models/partial/x", _world.Random.Next().ToString(CultureInfo.InvariantCulture), TimeSpan.FromHours(1));
}

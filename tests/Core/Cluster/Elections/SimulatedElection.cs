using OllamaMax.TestKit.Simulation;

namespace OllamaMax.Core.Tests.Cluster.Elections;

/// <summary>Some edges over one storage, in bad weather or none.</summary>
internal sealed class SimulatedElection
{
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan TickTime = TimeSpan.FromSeconds(5);

    private const int Edges = 3;

    private readonly VirtualWorld _world;
    private readonly SimulatedStorage _storage;
    private readonly List<SimulatedEdge> _edges = [];
    private int _started;
    private int _refusedBefore;
    private TimeSpan? _standsStillWithLease;

    public SimulatedElection(int seed, bool ignoresTags = false)
    {
        _world = new VirtualWorld(seed);
        _storage = new SimulatedStorage(_world, ignoresTags);
        History = new ElectionHistory(_storage, ["state", "orphans"]);
        for (int i = 0; i < Edges; i++)
            Start();
    }

    public ElectionHistory History { get; }

    public IReadOnlyList<SimulatedEdge> Alive => _edges;

    public IReadOnlyList<SimulatedEdge> Leaders => [.. _edges.Where(edge => edge.Epoch is not null)];

    public int Refused => _refusedBefore + _edges.Sum(edge => edge.Refused);

    public void Run(TimeSpan time) => _world.Run(time);

    /// <summary>Until there is one leader.</summary>
    public SimulatedEdge Elect()
    {
        Run(LeaseTime + (2 * TickTime));
        return Leaders.ShouldHaveSingleItem();
    }

    public void Kill(SimulatedEdge edge)
    {
        edge.Node.Kill();
        Replace(edge);
    }

    public void Stop(SimulatedEdge edge)
    {
        while (edge.IsTicking)
            Run(TimeSpan.FromSeconds(0.1));
        edge.Stop();
        Replace(edge);
    }

    public void BreakLease() => _storage.Break();

    /// <summary>
    /// Whoever takes the lease next stands still before it knows, and the lease is broken meanwhile: it goes on as if it had it, while another leads, and takes that one's documents over.
    /// </summary>
    public void LoseLeaseOnceTaken(TimeSpan standsStill) => _standsStillWithLease = standsStill;

    /// <summary>Something happens every few seconds: machines stand still, are cut off, die, end, and somebody breaks the lease.</summary>
    public void RunThroughWeather(TimeSpan time)
    {
        TimeSpan end = _world.Now + time;
        while (_world.Now < end)
        {
            foreach (SimulatedEdge edge in _edges)
                (edge.Access.Losses, edge.Access.Delays) = (_world.Random.NextDouble() * 0.1, _world.Random.NextDouble() * 0.1);
            Happen(_edges[_world.Random.Next(_edges.Count)]);
            Run(_world.Between(1, 30));
        }
        // It clears up.
        foreach (SimulatedEdge edge in _edges)
        {
            (edge.Access.Losses, edge.Access.Delays, edge.Access.IsCutOff) = (0, 0, false);
            edge.Node.Resume();
        }
    }

    private void Happen(SimulatedEdge edge)
    {
        switch (_world.Random.Next(8))
        {
            // The leader is where it hurts.
            case 0 or 1 when Leaders.Count > 0:
                Pause(Leaders[0]);
                break;
            case 0 or 1 or 2:
                Pause(edge);
                break;
            case 3:
                edge.Access.IsCutOff = true;
                _world.After(_world.Between(1, 90), () => edge.Access.IsCutOff = false);
                break;
            case 4:
                Kill(edge);
                break;
            case 5 when !edge.Node.IsPaused && !edge.IsTicking:
                Stop(edge);
                break;
            case 6:
                LoseLeaseOnceTaken(_world.Between(2, 12));
                BreakLease();
                break;
            default:
                BreakLease();
                break;
        }
    }

    private void Pause(SimulatedEdge edge)
    {
        if (edge.Node.IsPaused)
            return;
        edge.Node.Pause();
        _world.After(_world.Between(0.5, 60), edge.Node.Resume);
    }

    private void Replace(SimulatedEdge edge)
    {
        _refusedBefore += edge.Refused;
        _edges.Remove(edge);
        Start();
    }

    private void Start()
    {
        TimeSpan skew = TimeSpan.FromMinutes((_world.Random.NextDouble() * 20) - 10);
        SimulatedEdge edge = new(_world, _storage, $"e{++_started}", skew, LeaseTime, TickTime);
        edge.Access.Acquired += () => Acquired(edge);
        _edges.Add(edge);
    }

    private void Acquired(SimulatedEdge edge)
    {
        if (_standsStillWithLease is not { } standsStill || edge.Node.IsPaused)
            return;
        _standsStillWithLease = null;
        edge.Node.Pause();
        _world.After(standsStill, edge.Node.Resume);
        BreakLease();
    }
}

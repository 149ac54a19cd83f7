using OllamaMax.Placement;

namespace OllamaMax.Bench.Placement;

/// <summary>A fleet, its edges and one kind of traffic under one policy, in virtual time.</summary>
internal sealed class Simulation
{
    /// <summary>Between an answer's end and the next message of a conversation, on average.</summary>
    private static readonly TimeSpan Thinking = TimeSpan.FromSeconds(8);

    private readonly VirtualTime _time = new();
    private readonly PlacementSizes _sizes;
    private readonly SimulatedFleet _fleet;
    private readonly SimulatedQueue _queue;
    private readonly SimulatedEdge[] _edges;
    private readonly PlacementRule[] _rules;
    private readonly Random _random;
    private readonly IEnumerator<(Conversation Conversation, TimeSpan Pause)> _traffic;
    private readonly SimulationResult _result = new();
    private int _asked;
    private int _answered;

    /// <param name="policyOf">Each edge's own, by its number.</param>
    public Simulation(PlacementSizes sizes, Traffic traffic, Func<int, IPlacementPolicy> policyOf)
    {
        _sizes = sizes;
        _random = new(sizes.Seed + 1);
        _fleet = new(sizes, _time);
        _queue = new(_fleet, _time);
        _edges = [.. Enumerable.Range(0, sizes.Edges).Select(_ => new SimulatedEdge(_fleet, _queue, _time))];
        _rules = [.. Enumerable.Range(0, sizes.Edges).Select(number => new PlacementRule { Policy = policyOf(number) })];
        _traffic = traffic.Begin(sizes).GetEnumerator();
        foreach (SimulatedWorker worker in _fleet.Workers)
            worker.Ended = job => Ended(job, worker);
    }

    public SimulationResult Run()
    {
        foreach (SimulatedEdge edge in _edges)
            edge.Begin(TimeSpan.FromSeconds(10) * _random.NextDouble());
        BeginNext();
        _time.Run(() => _answered == _sizes.Requests);
        _result.End(_fleet, _edges, _asked, _time.Now);
        return _result;
    }

    private void BeginNext()
    {
        if (_asked == _sizes.Requests)
            return;
        _traffic.MoveNext();
        var (conversation, pause) = _traffic.Current;
        Ask(conversation);
        _time.After(pause, BeginNext);
    }

    /// <summary>Each turn comes in at any edge: clients do not know them apart.</summary>
    private void Ask(Conversation conversation)
    {
        if (_asked == _sizes.Requests)
            return;
        _asked++;
        int edge = conversation.Draws.Next(_edges.Length);
        SimulatedJob job = conversation.Next(_rules[edge], _time.Now);
        _queue.Own(job, _edges[edge]);
        _edges[edge].Take(job);
    }

    private void Ended(SimulatedJob job, SimulatedWorker worker)
    {
        _answered++;
        if (job.ArrivedAt >= _sizes.WarmUp)
            _result.Add(job);
        _fleet.SlotFreed(worker);
        _queue.SlotFreed(job, worker);
        Conversation conversation = job.Conversation;
        if (conversation.Turn < conversation.Turns)
            _time.After(Thinking * -Math.Log(1 - conversation.Draws.NextDouble()), () => Ask(conversation));
    }
}

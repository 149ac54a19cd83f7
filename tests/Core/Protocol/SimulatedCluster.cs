using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;

namespace OllamaMax.Core.Tests.Protocol;

/// <summary>Edge, workers and queue in virtual time: the real state machines of the protocol, everything between them simulated.</summary>
internal sealed class SimulatedCluster
{
    public const int AnswerTokens = 120;

    private const int Workers = 3;
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan UnaskedEvery = TimeSpan.FromSeconds(5);

    private readonly Weather _weather;
    private readonly Random _random;
    private readonly SimulatedNetwork _network;
    private readonly List<SimulatedWorker> _workers = [];
    private readonly HashSet<string> _nudged = [];
    private SimulatedEdge _edge;
    private TimeSpan _now;
    private int _jobs;

    public SimulatedCluster(Weather weather)
    {
        _weather = weather;
        _random = new Random(weather.Seed);
        _network = new SimulatedNetwork(weather, _random);
        Queue = new SimulatedQueue(weather, _random);
        _edge = new SimulatedEdge(this, _random, _weather.SlowGrants);
        for (int i = 0; i < Workers; i++)
            _workers.Add(NewWorker($"w{i}"));
    }

    public SimulatedQueue Queue { get; }

    /// <summary>What clients were told, of every edge there was; jobs of an edge that died may have no end.</summary>
    public List<(Job Job, List<JobOutput> Outputs, bool EdgeDied)> Answers { get; } = [];

    public IReadOnlyList<int> SlotsUsed => [.. _workers.Select(worker => worker.SlotsUsed)];

    /// <summary>Workers that remember attempts or hold slots.</summary>
    public IEnumerable<string> Unfinished => _workers.Where(worker => !worker.IsEmpty).Select(worker => worker.Id);

    /// <summary>Tokens that workers sent, each time that they did.</summary>
    public int TokensSent { get; set; }

    /// <summary>What was seen that must never be.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>What attempts wrote, taken apart.</summary>
    public static IEnumerable<(int Index, int Attempt)> Tokens(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(token =>
    {
        string[] parts = token.Split(':');
        return (int.Parse(parts[0], null), int.Parse(parts[1], null));
    });

    /// <summary>Jobs come while the weather is bad; then it clears up, and there is time for all to come to an end.</summary>
    public void Run(TimeSpan calm)
    {
        for (; _now < Weather.Lasts + calm; _now += StepTime)
        {
            if (_now < Weather.Lasts)
                Misfortune();
            if (_now < Weather.Lasts && Happens(_weather.Jobs))
                _edge.Begin(NewJob(), _now);
            _network.DeliverUntil(_now);
            _edge.Step(_now);
            foreach (SimulatedWorker worker in _workers)
                worker.Step(_now, Queue, _nudged.Remove(worker.Id) || Happens(StepTime / UnaskedEvery / StepTime.TotalSeconds));
        }
        Account(_edge, died: false);
    }

    public void Tell(string workerId, Action<SimulatedWorker> say)
    {
        // Who listens under that name when it arrives is who hears it.
        _network.Send(_now, () => say(_workers.Single(worker => worker.Id == workerId)));
    }

    /// <summary>A message to an edge; one that has died does not hear it.</summary>
    public void TellEdge(SimulatedEdge edge, Action<TimeSpan> say) => _network.Send(_now, () =>
    {
        if (_edge == edge)
            say(_now);
    });

    public void Nudge() => _network.Send(_now, () => _nudged.UnionWith(_workers.Select(worker => worker.Id)));

    public string? Choose(IReadOnlySet<string> excluded)
    {
        string[] able = [.. _workers.Where(worker => worker.SlotsUsed < SimulatedWorker.Slots && !excluded.Contains(worker.Id)).Select(worker => worker.Id)];
        return able.Length == 0 ? null : able[_random.Next(able.Length)];
    }

    private bool Happens(double perSecond) => _random.NextDouble() < perSecond * StepTime.TotalSeconds;

    private void Misfortune()
    {
        for (int i = 0; i < _workers.Count; i++)
        {
            if (Happens(_weather.Deaths))
                _workers[i] = NewWorker(_workers[i].Id);
            else if (Happens(_weather.Hangs))
                _workers[i].HangsUntil = _now + (TimeSpan.FromSeconds(15) * _random.NextDouble());
        }
        if (Happens(_weather.Deafness))
            _network.DeafUntil = _now + (TimeSpan.FromSeconds(8) * _random.NextDouble());
        if (!Happens(_weather.EdgeDeaths))
            return;
        Account(_edge, died: true);
        _edge = new SimulatedEdge(this, _random, _weather.SlowGrants);
    }

    private void Account(SimulatedEdge edge, bool died) => Answers.AddRange(edge.Told.Select(told => (told.Key, told.Value, died)));

    private SimulatedWorker NewWorker(string id) => new(id, message =>
    {
        TokensSent += message.Outputs.Sum(output => output.Chunk.Tokens.Length);
        _network.Send(_now, () => _edge.Hear(message, _now));
    });

    private Job NewJob()
    {
        string id = $"job-{++_jobs}";
        return new Job
        {
            Id = id,
            RequestId = id,
            Tenant = "t",
            Model = "sha256:" + new string('0', 64),
            Prompt = "p",
            Options = new InferenceOptions(),
            Seed = 1,
            Deadline = TimeSpan.FromMinutes(3),
            // One in three is of a model that workers forward to: nobody can go on with its answer.
            Forward = _jobs % 3 == 0 ? new ForwardedPrompt() : null,
        };
    }
}

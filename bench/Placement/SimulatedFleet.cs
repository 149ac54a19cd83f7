using OllamaMax.Cluster;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Bench.Placement;

/// <summary>Workers of four speeds, and their heartbeats as the real ones write them: every 10 s while busy, every minute while idle.</summary>
internal sealed class SimulatedFleet
{
    public const string Model = "sha256:5d0f3c1b0e5f4b6a7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);

    /// <summary>Tokens a second of an answer alone, and how many workers in ten are so fast.</summary>
    private static readonly (double Speed, int InTen)[] s_speeds = [(20, 3), (40, 4), (80, 2), (160, 1)];

    private readonly VirtualTime _time;
    private readonly bool _tellsSpeeds;
    private readonly Dictionary<string, SimulatedWorker> _workers = [];
    private readonly Dictionary<string, (WorkerReport Report, TimeSpan At)> _reports = [];

    public SimulatedFleet(PlacementSizes sizes, VirtualTime time)
    {
        _time = time;
        _tellsSpeeds = sizes.TellsSpeeds;
        Random random = new(sizes.Seed);
        for (int i = 0; i < sizes.Workers; i++)
        {
            SimulatedWorker worker = new($"{random.NextInt64():x16}", random.Next(10) < 7 ? 4 : 8, Speed(random.Next(10)), time);
            _workers.Add(worker.Id, worker);
            Report(worker);
            time.After(Idle * random.NextDouble(), () => KeepReporting(worker));
        }
    }

    public IReadOnlyCollection<SimulatedWorker> Workers => _workers.Values;

    public SimulatedWorker this[string id] => _workers[id];

    /// <summary>What a listing shows now.</summary>
    public IReadOnlyList<WorkerView> List() => [.. _reports.Values.Select(report => new WorkerView(report.Report, _time.Now - report.At))];

    /// <summary>What it says of its slots to an edge, now.</summary>
    public static WorkerMessage Message(SimulatedWorker worker) => new()
    {
        Version = ProtocolVersion.Current,
        WorkerId = worker.Id,
        Steps = 0,
        SlotsUsed = worker.Used,
        SlotsTotal = worker.Slots,
    };

    /// <summary>A worker that runs short jobs now and then reports as often as a busy one.</summary>
    public void SlotFreed(SimulatedWorker worker)
    {
        if (_time.Now - _reports[worker.Id].At >= Busy)
            Report(worker);
    }

    private static double Speed(int draw)
    {
        int kind = 0;
        for (; draw >= s_speeds[kind].InTen; kind++)
            draw -= s_speeds[kind].InTen;
        return s_speeds[kind].Speed;
    }

    private void KeepReporting(SimulatedWorker worker)
    {
        TimeSpan due = _reports[worker.Id].At + (worker.Used > 0 ? Busy : Idle) - _time.Now;
        if (due <= TimeSpan.Zero)
        {
            Report(worker);
            due = worker.Used > 0 ? Busy : Idle;
        }
        // One that was idle begins to hurry at its next report, as a real one does.
        _time.After(due < Busy ? due : Busy, () => KeepReporting(worker));
    }

    private void Report(SimulatedWorker worker)
    {
        double? before = _reports.TryGetValue(worker.Id, out var last) ? last.Report.Models[0].JobTokensPerSecond : null;
        WorkerReport report = new()
        {
            Version = ProtocolVersion.Current,
            Id = worker.Id,
            Name = worker.Id,
            Host = worker.Id,
            Pid = 1,
            Program = "1.0.0",
            Draining = false,
            SlotsUsed = worker.Used,
            SlotsTotal = worker.Slots,
            IntervalSeconds = (worker.Used > 0 ? Busy : Idle).TotalSeconds,
            Models = [new HeldModel(Model, Loaded: true) { JobTokensPerSecond = _tellsSpeeds ? worker.MeasureSpeed() ?? before : null }],
            Devices = [],
        };
        _reports[worker.Id] = (report, _time.Now);
    }
}

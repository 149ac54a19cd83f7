using Microsoft.Extensions.Options;
using OllamaMax.Bench.Reporting;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Bench.Placement;

/// <summary>
/// One tenant keeps a model's backlog full while another asks now and then: the edge's real backlog before a first come, first served queue, in virtual time.
/// </summary>
internal sealed class Flood
{
    private const int Slots = 8;
    private const int HeavyJobs = 100;
    private const double MostOfFirstComeFirstServed = 0.25;

    private static readonly TimeSpan MeanRun = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LightEvery = TimeSpan.FromSeconds(5);

    private readonly VirtualTime _time = new();
    private readonly Random _random;
    private readonly TimeSpan _end;
    private readonly Backlog _backlog;
    private readonly Queue<JobRun> _queue = new();
    private readonly Dictionary<JobRun, TimeSpan> _arrivedAt = [];
    private readonly string _lightTenant;
    private int _running;
    private int _jobs;

    /// <param name="lightTenant">As the backlog knows the one who asks now and then.</param>
    private Flood(PlacementSizes sizes, string lightTenant)
    {
        _random = new(sizes.Seed);
        _end = sizes.FloodTime;
        _lightTenant = lightTenant;
        WorkerDirectory directory = new();
        directory.Update([new WorkerView(Report(), TimeSpan.Zero)], _time.Now);
        _backlog = new Backlog(directory, Options.Create(new DispatchOptions()), Options.Create(new TenantOptions()));
    }

    /// <summary>Seconds that the light tenant's jobs waited for a slot.</summary>
    private Samples Waits { get; } = new();

    public static void Measure(PlacementSizes sizes, BenchResult result)
    {
        Samples alone = Run(sizes, "light", flood: false);
        Samples fair = Run(sizes, "light", flood: true);
        // For a backlog that does not tell them apart they are one tenant, first come, first served.
        Samples unfair = Run(sizes, "heavy", flood: true);
        Table table = result.Add(new Table(
            "A light tenant's wait for a slot under a heavy one's flood",
            $"{Slots} slots, jobs of {MeanRun.TotalSeconds:0} s on average; the heavy tenant always has {HeavyJobs} jobs waiting or running, the light one asks every {LightEvery.TotalSeconds:0} s on average.",
            ["seconds", "jobs", "p50", "p99", "p50 in mean running times"]));
        Add("alone", alone);
        Add("under the flood, by turns", fair);
        Add("under the flood, first come, first served", unfair);
        result.Aim("flood: a light tenant's median wait, by turns ÷ first come, first served", fair.Median / unfair.Median, MostOfFirstComeFirstServed, atMost: true);

        void Add(string name, Samples waits) => table.Add(name, waits.Count, waits.Median, waits.P99, waits.Median / MeanRun.TotalSeconds);
    }

    private static Samples Run(PlacementSizes sizes, string lightTenant, bool flood)
    {
        Flood one = new(sizes, lightTenant);
        for (int i = 0; flood && i < HeavyJobs; i++)
            one.Arrive("heavy", isLight: false);
        one.KeepAsking();
        one._time.Run(() => one._time.Now >= one._end);
        return one.Waits;
    }

    private static WorkerReport Report() => new()
    {
        Version = ProtocolVersion.Current,
        Id = "worker",
        Name = "worker",
        Host = "box",
        Pid = 1,
        Program = "1.0.0",
        Draining = false,
        SlotsUsed = 0,
        SlotsTotal = Slots,
        IntervalSeconds = 60,
        Models = [new HeldModel(SimulatedFleet.Model, Loaded: true)],
        Devices = [],
    };

    private void KeepAsking() => _time.After(LightEvery * -Math.Log(1 - _random.NextDouble()), () =>
    {
        Arrive(_lightTenant, isLight: true);
        KeepAsking();
    });

    private void Arrive(string tenant, bool isLight)
    {
        JobRun run = new(new JobOwner(MakeJob(tenant, isLight), new OwnerOptions(), () => "nonce", _time.Now), new JobOutputLog(), _time.Now);
        if (isLight)
            _arrivedAt.Add(run, _time.Now);
        _backlog.Began(run);
        if (!_backlog.MustWait(run) && _running < Slots)
            Start(run);
        else if (_backlog.Add(run) is { } refusal)
            throw new InvalidOperationException(refusal.Message);
        Move();
    }

    private void Move()
    {
        foreach (JobRun next in _backlog.TakeNext())
            _queue.Enqueue(next);
        while (_running < Slots && _queue.TryDequeue(out JobRun? run))
        {
            _backlog.Left(run);
            Start(run);
            foreach (JobRun next in _backlog.TakeNext())
                _queue.Enqueue(next);
        }
    }

    private void Start(JobRun run)
    {
        _running++;
        if (_arrivedAt.Remove(run, out TimeSpan at))
            Waits.Add((_time.Now - at).TotalSeconds);
        bool isFlood = run.Job.RequestId == "flood";
        _time.After(MeanRun * -Math.Log(1 - _random.NextDouble()), () =>
        {
            _running--;
            _backlog.Ended(run);
            Move();
            if (isFlood)
                Arrive("heavy", isLight: false);
        });
    }

    private Job MakeJob(string tenant, bool isLight) => new()
    {
        Id = $"job-{++_jobs}",
        RequestId = isLight ? "light" : "flood",
        Tenant = tenant,
        Model = SimulatedFleet.Model,
        Prompt = "",
        Options = new InferenceOptions(),
        Seed = 1,
        Deadline = TimeSpan.FromHours(1),
    };
}

using OllamaMax.Edge.Cluster;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Bench.Placement;

/// <summary>
/// An edge: the real directory and the real policy, over a listing every 10 s and what workers say that run this edge's jobs. A push that is refused goes elsewhere,
/// twice; then, or where nobody seems free, the job waits in the model's queue, and while jobs of this edge do, others join them.
/// </summary>
internal sealed class SimulatedEdge(SimulatedFleet fleet, SimulatedQueue queue, VirtualTime time)
{
    /// <summary>From one machine to another, through SignalR.</summary>
    public static readonly TimeSpan Way = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan ListEvery = TimeSpan.FromSeconds(10);

    /// <summary>Workers speak more often: less is assumed to be known.</summary>
    private static readonly TimeSpan HeardEvery = TimeSpan.FromSeconds(1);

    private static readonly int s_mostPushes = new OwnerOptions().MaxPushes;

    private readonly Dictionary<SimulatedJob, SimulatedWorker> _running = [];
    private int _queued;

    public WorkerDirectory Directory { get; } = new();

    /// <summary>Pushes that were refused.</summary>
    public int Refused { get; private set; }

    /// <summary>Jobs that went into the queue.</summary>
    public int Queued { get; private set; }

    public void Begin(TimeSpan after)
    {
        Directory.Update(fleet.List(), time.Now);
        time.After(after, KeepListing);
    }

    public void Take(SimulatedJob job)
    {
        if (_queued > 0)
            Enqueue(job);
        else
            Place(job);
    }

    /// <summary>A worker has taken the job from the queue.</summary>
    public void Claimed(SimulatedJob job, SimulatedWorker worker)
    {
        _queued--;
        Directory.AddInFlight(worker.Id, +1);
        Runs(job, worker);
    }

    /// <summary>The job has ended there.</summary>
    public void Ended(SimulatedJob job, SimulatedWorker worker)
    {
        _running.Remove(job);
        Say(worker, () => Directory.AddInFlight(worker.Id, -1));
    }

    private void KeepListing()
    {
        Directory.Update(fleet.List(), time.Now);
        time.After(ListEvery, KeepListing);
    }

    private void Place(SimulatedJob job)
    {
        string? id = job.Pushes < s_mostPushes ? Directory.Choose(SimulatedFleet.Model, job.Placement, job.Excluded, time.Now) : null;
        if (id is null)
        {
            Enqueue(job);
            return;
        }
        job.Pushes++;
        Directory.AddInFlight(id, +1);
        SimulatedWorker worker = fleet[id];
        time.After(Way, () => Arrive(job, worker));
    }

    private void Arrive(SimulatedJob job, SimulatedWorker worker)
    {
        if (worker.TryStart(job))
        {
            Runs(job, worker);
            return;
        }
        Say(worker, () =>
        {
            Refused++;
            Directory.AddInFlight(worker.Id, -1);
            job.Excluded.Add(worker.Id);
            Place(job);
        });
    }

    private void Enqueue(SimulatedJob job)
    {
        _queued++;
        Queued++;
        queue.Add(job, this);
    }

    private void Runs(SimulatedJob job, SimulatedWorker worker)
    {
        _running.Add(job, worker);
        KeepHearing(job, worker);
    }

    private void KeepHearing(SimulatedJob job, SimulatedWorker worker)
    {
        if (!_running.ContainsKey(job))
            return;
        Say(worker, () => { });
        time.After(HeardEvery, () => KeepHearing(job, worker));
    }

    /// <summary>A message from the worker, with its slots as they are when it is sent.</summary>
    private void Say(SimulatedWorker worker, Action andThen)
    {
        var message = SimulatedFleet.Message(worker);
        time.After(Way, () =>
        {
            Directory.Heard(message, time.Now);
            andThen();
        });
    }
}

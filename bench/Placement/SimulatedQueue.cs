using OllamaMax.Edge.Dispatch;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Bench.Placement;

/// <summary>The model's queue in storage: first come, first served. Edges tell workers of it again and again; who was told takes from it until it is empty.</summary>
internal sealed class SimulatedQueue(SimulatedFleet fleet, VirtualTime time)
{
    /// <summary>An operation of storage.</summary>
    private static readonly TimeSpan Operation = TimeSpan.FromMilliseconds(5);

    private static readonly OwnerOptions s_owner = new();
    private static readonly int s_nudged = new DispatchOptions().NudgedWorkers;

    private readonly LinkedList<(SimulatedJob Job, SimulatedEdge Edge)> _waiting = new();

    /// <summary>Whose each running job is.</summary>
    private readonly Dictionary<SimulatedJob, SimulatedEdge> _owners = [];

    public void Own(SimulatedJob job, SimulatedEdge edge) => _owners.Add(job, edge);

    public void Add(SimulatedJob job, SimulatedEdge edge) => time.After(Operation, () =>
    {
        var node = _waiting.AddLast((job, edge));
        Nudge(node, s_owner.NudgeFirst);
    });

    /// <summary>A job has ended, and its slot is free.</summary>
    public void SlotFreed(SimulatedJob job, SimulatedWorker worker)
    {
        if (_owners.Remove(job, out SimulatedEdge? edge))
            edge.Ended(job, worker);
        if (worker.KnowsQueue)
            Look(worker);
    }

    private void Nudge(LinkedListNode<(SimulatedJob Job, SimulatedEdge Edge)> node, TimeSpan again)
    {
        if (node.List is null)
            return;
        var (job, edge) = node.Value;
        foreach (string id in edge.Directory.ToNudge(SimulatedFleet.Model, job.Placement.Rule, s_nudged, time.Now))
            time.After(SimulatedEdge.Way, () => Look(fleet[id]));
        time.After(again, () => Nudge(node, again * 2 < s_owner.NudgeLongest ? again * 2 : s_owner.NudgeLongest));
    }

    private void Look(SimulatedWorker worker)
    {
        while (worker.Used < worker.Slots && _waiting.First is { } first)
        {
            _waiting.RemoveFirst();
            worker.Held++;
            var (job, edge) = first.Value;
            // It is taken from storage, claimed, and granted.
            time.After(Operation + (2 * SimulatedEdge.Way), () =>
            {
                worker.Held--;
                if (!worker.TryStart(job))
                    throw new InvalidOperationException("The slot that was held for a job is not there.");
                edge.Claimed(job, worker);
            });
        }
        worker.KnowsQueue = _waiting.Count > 0;
    }
}

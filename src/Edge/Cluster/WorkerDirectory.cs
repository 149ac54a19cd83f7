using OllamaMax.Cluster;
using OllamaMax.Placement;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster;

/// <summary>
/// What this edge knows of the workers at this moment: heartbeats, what they said since, and what it gave them itself.
/// The dispatcher's loop owns it; nothing else may touch it.
/// </summary>
internal sealed class WorkerDirectory
{
    private readonly Dictionary<string, WorkerEntry> _entries = [];
    private readonly Dictionary<(string Model, PlacementRule Rule), ModelLine> _lines = [];

    // Odd, so that keys stay apart when they are multiplied by it.
    private ulong _nudges = 1;

    /// <summary>Takes in a listing of the heartbeats. Who is not in it any more, and has nothing in flight, is forgotten.</summary>
    public void Update(IReadOnlyList<WorkerView> views, TimeSpan now)
    {
        HashSet<string> listed = [];
        foreach (WorkerView view in views)
        {
            listed.Add(view.Report.Id);
            WorkerEntry entry = GetOrAdd(view.Report.Id);
            bool isNewProcess = entry.View?.Report.Pid != view.Report.Pid;
            entry.See(view);
            if (isNewProcess)
                entry.SuspectedAt = null;
            if (now - entry.LoadAt >= view.Age || isNewProcess)
                entry.SetLoad(view.Report.SlotsUsed, view.Report.SlotsTotal, now - view.Age);
        }
        foreach (string id in _entries.Where(e => !listed.Contains(e.Key) && e.Value.InFlight == 0).Select(e => e.Key).ToList())
            _entries.Remove(id);
        _lines.Clear();
    }

    public void Heard(WorkerMessage message, TimeSpan now)
    {
        WorkerEntry entry = GetOrAdd(message.WorkerId);
        entry.SuspectedAt = null;
        entry.SetLoad(message.SlotsUsed, message.SlotsTotal, now);
    }

    /// <summary>The worker did not answer: it comes last until it is heard again.</summary>
    public void Suspect(string workerId, TimeSpan now) => GetOrAdd(workerId).SuspectedAt = now;

    public void AddInFlight(string workerId, int difference) => GetOrAdd(workerId).InFlight += difference;

    /// <summary>Null when nobody who may run it has a free slot, as far as is known.</summary>
    public string? Choose(string model, JobPlacement placement, IReadOnlySet<string> excluded, TimeSpan now)
    {
        ModelLine line = LineOf(model, placement.Rule);
        return placement.Rule.Policy.Choose(line.Candidates(excluded, now), placement.Prefix, line.Prefix);
    }

    /// <summary>Whether the rule lets this worker run a job, and it is trusted; under a rule that keeps some away, one that is not listed may not.</summary>
    public bool MayRun(string workerId, PlacementRule rule)
    {
        WorkerView? view = _entries.GetValueOrDefault(workerId)?.View;
        return view is { IsRevoked: true } ? false : !rule.IsRestricted || (view is not null && rule.Admits(view));
    }

    /// <summary>Whom to tell that something waits in the model's queue: those with a free slot first, and each time others of those that are alike.</summary>
    public IEnumerable<string> ToNudge(string model, PlacementRule rule, int most, TimeSpan now)
    {
        ulong round = _nudges += 2;
        return LineOf(model, rule).All(now)
            .OrderByDescending(candidate => candidate.HasFreeSlot)
            .ThenByDescending(candidate => candidate.Warmth)
            .ThenBy(candidate => candidate.Expected / (double)Math.Max(1, candidate.Total))
            .ThenBy(candidate => candidate.Key * round)
            .Take(most)
            .Select(candidate => candidate.WorkerId);
    }

    /// <summary>Slots that workers offer for the model, busy ones included.</summary>
    /// <param name="except">Workers whose slots do not count; null: none.</param>
    public int Slots(string model, PlacementRule rule, IReadOnlySet<string>? except = null) => LineOf(model, rule).Slots(except);

    /// <summary>Slots in use and in all, of workers that are not gone.</summary>
    public (int Used, int Total) AllSlots(TimeSpan now)
    {
        int used = 0, total = 0;
        foreach (WorkerEntry entry in _entries.Values.Where(entry => entry.View is { State: not WorkerState.Gone }))
        {
            used += entry.UsedAt(now);
            total += entry.Total;
        }
        return (used, total);
    }

    private ModelLine LineOf(string model, PlacementRule rule)
    {
        if (!_lines.TryGetValue((model, rule), out ModelLine? line))
            _lines.Add((model, rule), line = new ModelLine(model, rule, _entries.Values));
        return line;
    }

    private WorkerEntry GetOrAdd(string workerId)
    {
        if (!_entries.TryGetValue(workerId, out WorkerEntry? entry))
            _entries[workerId] = entry = new WorkerEntry(workerId);
        return entry;
    }
}

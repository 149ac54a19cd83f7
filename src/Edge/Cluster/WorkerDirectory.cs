using System.Collections.Frozen;
using OllamaMax.Cluster;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Placement;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster;

/// <summary>
/// What this edge knows of the workers at this moment: heartbeats, what they said since, and what it gave them itself.
/// The dispatcher's loop owns it; nothing else may touch it.
/// </summary>
internal sealed class WorkerDirectory(LeastLoadedPolicy policy)
{
    /// <summary>What a worker said of its load is believed for this long; after that only what this edge knows itself counts.</summary>
    private static readonly TimeSpan LoadIsFresh = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Entry> _entries = [];

    /// <summary>Takes in a listing of the heartbeats. Who is not in it any more, and has nothing in flight, is forgotten.</summary>
    public void Update(IReadOnlyList<WorkerView> views, TimeSpan now)
    {
        HashSet<string> listed = [];
        foreach (WorkerView view in views)
        {
            listed.Add(view.Report.Id);
            Entry entry = GetOrAdd(view.Report.Id);
            bool isNewProcess = entry.View?.Report.Pid != view.Report.Pid;
            entry.View = view;
            entry.Forwarded = view.Forwarded.Count == 0 ? FrozenSet<string>.Empty : view.Forwarded.Select(model => model.Digest).ToFrozenSet();
            if (isNewProcess)
                entry.SuspectedAt = null;
            if (now - entry.LoadAt >= view.Age || isNewProcess)
                entry.SetLoad(view.Report.SlotsUsed, view.Report.SlotsTotal, now - view.Age);
        }
        foreach (string id in _entries.Where(e => !listed.Contains(e.Key) && e.Value.InFlight == 0).Select(e => e.Key).ToList())
            _entries.Remove(id);
    }

    public void Heard(WorkerMessage message, TimeSpan now)
    {
        Entry entry = GetOrAdd(message.WorkerId);
        entry.SuspectedAt = null;
        entry.SetLoad(message.SlotsUsed, message.SlotsTotal, now);
    }

    /// <summary>The worker did not answer: it comes last until it is heard again.</summary>
    public void Suspect(string workerId, TimeSpan now) => GetOrAdd(workerId).SuspectedAt = now;

    public void AddInFlight(string workerId, int difference) => GetOrAdd(workerId).InFlight += difference;

    /// <summary>Null when nobody has a free slot, as far as is known.</summary>
    public string? Choose(string model, IReadOnlySet<string> excluded, TimeSpan now) => policy.Choose(Candidates(model, now)
        .Where(candidate => !excluded.Contains(candidate.WorkerId)));

    /// <summary>Whom to tell that something waits in the model's queue: those with a free slot first.</summary>
    public IEnumerable<string> ToNudge(string model, int most, TimeSpan now) => Candidates(model, now, withSuspects: true)
        .OrderByDescending(candidate => candidate.HasFreeSlot)
        .ThenByDescending(candidate => candidate.Warmth)
        .Take(most)
        .Select(candidate => candidate.WorkerId);

    /// <summary>Slots that workers offer for the model, busy ones included.</summary>
    public int Slots(string model, TimeSpan now) => Candidates(model, now).Sum(candidate => candidate.Total);

    /// <summary>Slots in use and in all, of workers that are not gone.</summary>
    public (int Used, int Total) AllSlots(TimeSpan now)
    {
        int used = 0, total = 0;
        foreach (Entry entry in _entries.Values.Where(entry => entry.View is { State: not WorkerState.Gone }))
        {
            used += entry.UsedAt(now);
            total += entry.Total;
        }
        return (used, total);
    }

    private IEnumerable<Candidate> Candidates(string model, TimeSpan now, bool withSuspects = false)
    {
        bool isForwarded = ForwardedDigest.Is(model);
        foreach (var (id, entry) in _entries)
        {
            if (entry.View is not { } view || !ProtocolVersion.IsCompatible(view.Report.Version))
                continue;
            if (view.State is WorkerState.Draining or WorkerState.Gone)
                continue;
            if (!withSuspects && (entry.SuspectedAt is not null || view.State == WorkerState.Suspect))
                continue;
            if (isForwarded)
            {
                // Nobody else could get it: there are no weights to copy.
                if (entry.Forwarded.Contains(model))
                    yield return new Candidate(id, Warmth.Loaded, entry.UsedAt(now), entry.Total);
                continue;
            }
            var held = view.Report.Models.FirstOrDefault(m => m.Digest == model);
            if (held?.Hangs == true)
                continue;
            Warmth warmth = held is null ? Warmth.None : held.Loaded ? Warmth.Loaded : Warmth.Replica;
            yield return new Candidate(id, warmth, entry.UsedAt(now), entry.Total);
        }
    }

    private Entry GetOrAdd(string workerId)
    {
        if (!_entries.TryGetValue(workerId, out Entry? entry))
            _entries[workerId] = entry = new Entry();
        return entry;
    }

    private sealed class Entry
    {
        private int _used;

        public WorkerView? View { get; set; }

        /// <summary>Digests of the models that it forwards to.</summary>
        public FrozenSet<string> Forwarded { get; set; } = FrozenSet<string>.Empty;

        public int InFlight { get; set; }

        public int Total { get; private set; } = 1;

        public TimeSpan LoadAt { get; private set; } = TimeSpan.MinValue / 2;

        /// <summary>What it said of itself while that is fresh, and at least what this edge gave it.</summary>
        public int UsedAt(TimeSpan now) => Math.Max(InFlight, now - LoadAt < LoadIsFresh ? _used : 0);

        public TimeSpan? SuspectedAt { get; set; }

        public void SetLoad(int used, int total, TimeSpan at)
        {
            _used = used;
            Total = total;
            LoadAt = at;
        }
    }
}

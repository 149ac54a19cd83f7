using System.Collections.Frozen;
using OllamaMax.Cluster;
using OllamaMax.Placement;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>What the <see cref="WorkerDirectory"/> knows of one worker.</summary>
internal sealed class WorkerEntry(string id)
{
    /// <summary>What a worker said of its load is believed for this long; after that only what this edge knows itself keeps a job from it.</summary>
    private static readonly TimeSpan LoadIsFresh = TimeSpan.FromSeconds(5);

    /// <summary>For this long it is the best guess: until a busy worker's next report and the next listing of it there are 20 s.</summary>
    private static readonly TimeSpan LoadIsLikely = TimeSpan.FromSeconds(60);

    /// <summary>More slots than any worker has: a report that says more is not believed.</summary>
    private const int MostSlots = 4096;

    private int _used;
    private int _inFlight;
    private TimeSpan? _suspectedAt;

    /// <summary>Grows with whatever may change what <see cref="At"/> says, but for the time.</summary>
    public int Changes { get; private set; }

    public string Id { get; } = id;

    public ulong Key { get; } = Candidate.KeyOf(id);

    public WorkerView? View { get; private set; }

    public int InFlight
    {
        get => _inFlight;
        set => (_inFlight, Changes) = (value, Changes + 1);
    }

    public int Total { get; private set; } = 1;

    public TimeSpan LoadAt { get; private set; } = TimeSpan.MinValue / 2;

    public TimeSpan? SuspectedAt
    {
        get => _suspectedAt;
        set => (_suspectedAt, Changes) = (value, Changes + 1);
    }

    /// <summary>Digests of the models that it forwards to.</summary>
    private FrozenSet<string> Forwarded { get; set; } = FrozenSet<string>.Empty;

    public void See(WorkerView view)
    {
        View = view;
        Forwarded = view.Forwarded.Count == 0 ? FrozenSet<string>.Empty : view.Forwarded.Select(model => model.Digest).ToFrozenSet();
    }

    /// <summary>What it said of itself while that is fresh, and at least what this edge gave it.</summary>
    public int UsedAt(TimeSpan now) => UsedIf(now - LoadIsFresh);

    /// <param name="warmth">Of a model.</param>
    /// <param name="pace">With that model.</param>
    /// <param name="now">The time.</param>
    public Candidate At(Warmth warmth, int pace, TimeSpan now) => new(Id, warmth, UsedIf(now - LoadIsFresh), Total)
    {
        Expected = UsedIf(now - LoadIsLikely),
        Key = Key,
        Pace = pace,
    };

    public void SetLoad(int used, int total, TimeSpan at)
    {
        Total = Math.Clamp(total, 0, MostSlots);
        _used = Math.Clamp(used, 0, Total);
        LoadAt = at;
        Changes++;
    }

    /// <summary>Until when <see cref="At"/> says the same, if nothing else changes.</summary>
    public TimeSpan SameUntil(TimeSpan now) =>
        now - LoadAt < LoadIsFresh ? LoadAt + LoadIsFresh : now - LoadAt < LoadIsLikely ? LoadAt + LoadIsLikely : TimeSpan.MaxValue;

    /// <summary>Whether it forwards to the model: who does not could not get it, as there are no weights to copy.</summary>
    public bool ForwardsTo(string model) => Forwarded.Contains(model);

    /// <summary>The model there; null where it holds none.</summary>
    public HeldModel? Holds(string model) => View?.Report.Models.FirstOrDefault(held => held.Digest == model);

    private int UsedIf(TimeSpan since) => Math.Max(InFlight, LoadAt > since ? _used : 0);
}

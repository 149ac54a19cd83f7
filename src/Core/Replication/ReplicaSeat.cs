using OllamaMax.Cluster;
using OllamaMax.Placement;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Replication;

/// <summary>
/// A disk while copies are planned: what its workers report, and what is to be done there. Mostly it is one worker's; where several share it, what one of them makes or deletes the
/// others have or lose as well, so they count as one.
/// </summary>
internal sealed class ReplicaSeat
{
    /// <summary>Copies that are given to be made at a time, so that those that matter most are made first.</summary>
    private const int MostAtOnce = 2;

    private readonly IReadOnlyList<PolicedModel> _models;
    private readonly TimeSpan _replaceAfter;
    private readonly WorkerView[] _workers;
    private readonly WorkerView _speaker;
    private readonly WorkerReport _newest;
    private readonly HashSet<string> _held;
    private readonly HashSet<string> _inMemory;
    private readonly ReplicaTransfer[] _transfers;
    private readonly List<string> _ensure = [];
    private readonly List<string> _evict = [];
    private readonly List<string> _warm = [];
    private long _ordered;

    /// <param name="workers">All that share the disk.</param>
    /// <param name="models">Those with a policy.</param>
    /// <param name="replaceAfter">How long it keeps its place while it is away.</param>
    public ReplicaSeat(IEnumerable<WorkerView> workers, IReadOnlyList<PolicedModel> models, TimeSpan replaceAfter)
    {
        _models = models;
        _replaceAfter = replaceAfter;
        // The same one each time: its report is the one that shows what it was told.
        _workers = [.. workers.OrderBy(IsOut).ThenBy(worker => worker.State != WorkerState.Alive).ThenBy(worker => worker.Report.Id, StringComparer.Ordinal)];
        _speaker = _workers[0];
        // Each sees for itself whether it can write there, and the speaker is who has to.
        _newest = _workers
            .Where(worker => IsOut(worker) == IsOut(_speaker) && (worker.Report.DiskError is null) == (_speaker.Report.DiskError is null))
            .MaxBy(worker => worker.HeartbeatAt)!.Report;
        _held = [.. _newest.Models.Select(model => model.Digest)];
        _inMemory = [.. Reachable.SelectMany(worker => worker.Report.Models).Where(model => model.IsInMemory).Select(model => model.Digest)];
        _transfers = [.. Reachable.SelectMany(worker => worker.Report.Transfers ?? [])];
    }

    public string? Site => _speaker.Report.Site;

    /// <summary>Gone, or of a version that understands nothing.</summary>
    public bool IsAway => IsOut(_speaker);

    /// <summary>Copies there can be neither made nor deleted.</summary>
    public bool IsUnwritable => _newest.DiskError is not null;

    private IEnumerable<WorkerView> Reachable => _workers.Where(worker => !IsOut(worker));

    /// <summary>
    /// Copies there are copies that the policy asks for. A worker that rests by itself is about to be started anew; one that people drain is to be done without, and one that is away
    /// keeps its place for a while.
    /// </summary>
    public bool Counts(ModelPolicy policy) => _workers.Any(worker =>
        policy.Admits(worker.Labels) && !worker.IsToDrain && ProtocolVersion.IsCompatible(worker.Report.Version)
        && (worker.State != WorkerState.Gone || AwayFor(worker) < _replaceAfter));

    /// <summary>How much the policy would rather have copies here than elsewhere.</summary>
    public int Preference(ModelPolicy policy) => _workers.Max(worker => policy.PreferenceOf(worker.Labels));

    public bool Holds(string digest) => _held.Contains(digest);

    public bool HasInMemory(string digest) => _inMemory.Contains(digest);

    /// <summary>On its way, or ordered.</summary>
    public bool Gets(string digest) => !Holds(digest) && (Running.Any(transfer => transfer.Digest == digest) || _ensure.Contains(digest));

    /// <summary>In the memory of the worker that hears the orders, and to stay there.</summary>
    public bool IsWarm(string digest) => _speaker.Report.Models.Any(model => model.Digest == digest && model is { Warm: true, Loaded: true });

    public bool IsToldToWarm(string digest) => _speaker.Report.Models.Any(model => model.Digest == digest && model.Warm == true);

    /// <summary>Whether a copy can be kept in memory here.</summary>
    public bool CanWarm(PolicedModel model) =>
        Holds(model.Digest) && !Loses(model.Digest) && !IsAway && _speaker.State == WorkerState.Alive && _speaker.Report.HasMemoryFor(model.Bytes);

    public bool HasOrGets(string digest) => Holds(digest) || Gets(digest);

    public bool Loses(string digest) => _evict.Contains(digest);

    /// <summary>Of equals the same one is chosen each time, and another one for another model.</summary>
    public ulong Key(string digest) => PlacementHash.Of($"{digest} {_speaker.Report.Id}");

    /// <summary>Why it cannot take the model, to stand behind a number of workers; empty: nobody needs to be told; null: it can.</summary>
    public string? Refusal(PolicedModel model, ModelPolicy policy) =>
        IsAway ? ""
        : _speaker.State == WorkerState.Suspect ? "not heard for a while"
        : _speaker.State == WorkerState.Draining ? "draining"
        : _workers.All(worker => policy.Excludes(worker.Labels)) ? "excluded"
        : !Counts(policy) ? "without its labels"
        : !Reachable.Any(worker => worker.Report.HasMemoryFor(model.Bytes)) ? "with too little memory for it"
        : Array.Exists(_transfers, transfer => transfer.Digest == model.Digest && transfer.Cancelled == true) ? "where it was cancelled"
        : Array.Find(_transfers, transfer => transfer.Digest == model.Digest && transfer.Error is not null) is { Error: { } error } ? $"failed ({error})"
        : _newest.DiskError is { } reason ? $"failed ({reason})"
        : model.Bytes > RoomFor(model) ? "with too little disk for it"
        : Running.Count() + _ensure.Count >= MostAtOnce ? "busy with other copies"
        : null;

    public void Ensure(PolicedModel model)
    {
        _ensure.Add(model.Digest);
        _ordered += model.Bytes;
    }

    public void Evict(string digest) => _evict.Add(digest);

    /// <summary>Gives up those of the copies that are here and neither in memory nor on their way.</summary>
    public void EvictIdle(IReadOnlySet<string> digests) =>
        _evict.AddRange(_held.Where(digest => !IsUnwritable && digests.Contains(digest) && !HasInMemory(digest) && !Running.Any(transfer => transfer.Digest == digest)));

    /// <summary>Names of one content may both want it.</summary>
    public void Warm(string digest)
    {
        if (!_warm.Contains(digest))
            _warm.Add(digest);
    }

    /// <summary>None where nothing is to be said, or nobody hears it.</summary>
    public IEnumerable<ReplicaOrders> Orders(IReadOnlySet<string> pinned)
    {
        if (IsAway)
            yield break;
        // Those that it does not report too: a worker of an older version leaves some out where it has many, and would unpin what it is not told of.
        string[] stay = [.. pinned.Where(digest => !_evict.Contains(digest)).Order(StringComparer.Ordinal)];
        bool isPinnedAsWished = IsUnwritable || Pinned(_newest).SetEquals(stay.Where(Holds));
        // Told again until it is there: what did not fit into memory may by now.
        bool isWarmAsWished = _warm.TrueForAll(digest => IsWarm(digest) || (IsToldToWarm(digest) && IsLoading(digest)))
            && _speaker.Report.Models.All(model => model.Warm != true || _warm.Contains(model.Digest));
        if (_ensure.Count + _evict.Count > 0 || !isPinnedAsWished || !isWarmAsWished)
            yield return new(_speaker.Report.Id, [.. _ensure], [.. _evict], stay, [.. _warm]);
        // One that spoke for the disk before keeps nothing any more.
        foreach (WorkerView other in Reachable.Where(worker => worker != _speaker && worker.Report.Models.Any(model => model.Warm == true)))
            yield return new(other.Report.Id, [], [], stay, []);
    }

    private bool IsLoading(string digest) => _speaker.Report.Models.Any(model => model.Digest == digest && model.LoadingPercent is not null);

    private IEnumerable<ReplicaTransfer> Running => _transfers.Where(transfer => transfer.Error is null);

    /// <summary>
    /// What it can make room for without losing another that is wanted as much: or the two would put out each other for ever. A worker that says nothing of its disk is believed
    /// to have enough.
    /// </summary>
    private long RoomFor(PolicedModel model)
    {
        if (_newest.DiskRoom is not { } free)
            return long.MaxValue;
        HashSet<string> pinned = Pinned(_newest);
        long wanted = _models.Where(other => other.Digest != model.Digest && other.Desired > 0 && other.Priority >= model.Priority && Holds(other.Digest) && !pinned.Contains(other.Digest))
            .Sum(other => other.Bytes);
        long onItsWay = Running.Where(transfer => transfer.Digest != model.Digest).Sum(transfer => Math.Max(0, transfer.Total - transfer.Completed));
        return free + Math.Max(0, (_newest.DiskEvictable ?? 0) - wanted) - onItsWay - _ordered;
    }

    private static HashSet<string> Pinned(WorkerReport report) => [.. report.Models.Where(model => model.Pinned == true).Select(model => model.Digest)];

    private static bool IsOut(WorkerView worker) => worker.State == WorkerState.Gone || !ProtocolVersion.IsCompatible(worker.Report.Version);

    /// <summary>By storage's clock: since it was silent for long enough, or said goodbye.</summary>
    private static TimeSpan AwayFor(WorkerView worker) => worker.HeartbeatAt + worker.Age - worker.StateSince;
}

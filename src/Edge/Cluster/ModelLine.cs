using OllamaMax.Cluster;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Placement;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Cluster;

/// <summary>
/// The workers that may run a model's jobs under a rule, by one listing: what does not change until the next one is found out once, not for each job.
/// </summary>
internal sealed class ModelLine
{
    private readonly Place[] _places;

    // One for each place, as last seen: most have not changed from one job to the next.
    private readonly Candidate[] _candidates;
    private Candidate[] _admitted = [];

    public ModelLine(string model, PlacementRule rule, IReadOnlyCollection<WorkerEntry> workers)
    {
        Prefix = PromptPrefix.OfModel(model);
        bool isForwarded = ForwardedDigest.Is(model);
        List<Offer> offers = [.. workers.Select(worker => OfferOf(worker, model, isForwarded, rule)).OfType<Offer>()];
        // A report need not know all of a box's memory, so somebody may still try where nobody seems to have enough.
        if (offers.Exists(offer => offer.HasRoom))
            offers.RemoveAll(offer => !offer.HasRoom);
        double? usual = PaceScale.Usual(offers.Select(offer => offer.Speed).ToArray());
        _places = [.. offers.Select(offer => new Place(offer.Worker, offer.IsSuspect, offer.Warmth, PaceScale.Of(offer.Speed, usual)))];
        _candidates = new Candidate[_places.Length];
    }

    /// <summary>What jobs go by while nobody has the model in memory.</summary>
    public PromptPrefix Prefix { get; }

    /// <summary>Those who may be asked now; a suspect stands there without a slot. Good until the next call.</summary>
    public ReadOnlySpan<Candidate> Candidates(IReadOnlySet<string> excluded, TimeSpan now)
    {
        for (int i = 0; i < _places.Length; i++)
        {
            ref Place place = ref _places[i];
            if (place.Seen == place.Worker.Changes && now < place.SameUntil)
                continue;
            (place.Seen, place.SameUntil) = (place.Worker.Changes, place.Worker.SameUntil(now));
            _candidates[i] = place.IsSuspect ? new(place.Worker.Id, Warmth.None, 0, 0) : place.At(now);
        }
        return excluded.Count == 0 ? _candidates : Without(excluded);
    }

    private ReadOnlySpan<Candidate> Without(IReadOnlySet<string> excluded)
    {
        if (_admitted.Length == 0)
            _admitted = new Candidate[_candidates.Length];
        int count = 0;
        foreach (ref readonly Candidate candidate in _candidates.AsSpan())
        {
            if (!excluded.Contains(candidate.WorkerId))
                _admitted[count++] = candidate;
        }
        return _admitted.AsSpan(0, count);
    }

    /// <summary>All of them, suspects too.</summary>
    public IEnumerable<Candidate> All(TimeSpan now) => _places.Select(place => place.At(now));

    /// <summary>Slots of those who are not suspects, busy ones included.</summary>
    public int Slots(IReadOnlySet<string>? except) => _places.Sum(place => place.IsSuspect || except?.Contains(place.Worker.Id) == true ? 0 : place.Worker.Total);

    private static Offer? OfferOf(WorkerEntry worker, string model, bool isForwarded, PlacementRule rule)
    {
        if (worker.View is not { } view || !ProtocolVersion.IsCompatible(view.Report.Version))
            return null;
        if (view.State is WorkerState.Draining or WorkerState.Gone || !rule.Admits(view))
            return null;
        bool isSuspect = view.State == WorkerState.Suspect;
        if (isForwarded)
            return worker.ForwardsTo(model) ? new(worker, isSuspect, Warmth.Loaded, Speed: null, HasRoom: true) : null;
        HeldModel? held = worker.Holds(model);
        if (held?.Hangs == true)
            return null;
        Warmth warmth = held switch
        {
            null => Warmth.None,
            { Loaded: true } => Warmth.Loaded,
            { LoadingPercent: not null } => Warmth.Loading,
            _ => Warmth.Replica,
        };
        bool hasRoom = held?.Loaded == true || (view.Report.HasMemoryFor(rule.ModelBytes) && (held is not null || CanGet(view.Report, model, rule.ModelBytes)));
        return new(worker, isSuspect, warmth, PaceScale.Known(held?.JobTokensPerSecond), hasRoom);
    }

    /// <summary>Not where people have just ended its copying: only where there is nobody else, so that the client hears of it.</summary>
    private static bool CanGet(WorkerReport report, string model, long bytes) =>
        report.HasDiskFor(bytes) && report.Transfers?.Any(transfer => transfer.Cancelled == true && transfer.Digest == model) != true;

    /// <summary>What a worker has to offer, before it is seen beside the others.</summary>
    /// <param name="HasRoom">In memory for the model, and on disk where it has no copy yet.</param>
    private sealed record Offer(WorkerEntry Worker, bool IsSuspect, Warmth Warmth, double? Speed, bool HasRoom);

    private record struct Place(WorkerEntry Worker, bool IsListedAsSuspect, Warmth Warmth, int Pace)
    {
        /// <summary>The worker's changes when its candidate was made.</summary>
        public int Seen { get; set; } = -1;

        public TimeSpan SameUntil { get; set; }

        /// <summary>It comes last until it is heard again.</summary>
        public readonly bool IsSuspect => IsListedAsSuspect || Worker.SuspectedAt is not null;

        public readonly Candidate At(TimeSpan now) => Worker.At(Warmth, Pace, now);
    }
}

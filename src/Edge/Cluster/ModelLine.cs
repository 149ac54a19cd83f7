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

    public ModelLine(string model, PlacementRule rule, IReadOnlyCollection<WorkerEntry> workers)
    {
        Prefix = PromptPrefix.OfModel(model);
        bool isForwarded = ForwardedDigest.Is(model);
        List<Place> places = [.. workers.Select(worker => PlaceOf(worker, model, isForwarded, rule)).OfType<Place>()];
        // A report need not know all of a box's memory, so somebody may still try where nobody seems to have enough.
        if (places.Exists(place => place.HasMemory))
            places.RemoveAll(place => !place.HasMemory);
        double? usual = PaceScale.Usual(places.Select(place => place.Speed).ToArray());
        _places = [.. places.Select(place => place with { Pace = PaceScale.Of(place.Speed, usual) })];
    }

    /// <summary>What jobs go by while nobody has the model in memory.</summary>
    public PromptPrefix Prefix { get; }

    public int Count => _places.Length;

    /// <summary>Writes those who may be asked now.</summary>
    /// <param name="candidates">At least <see cref="Count"/>.</param>
    /// <returns>How many they are.</returns>
    public int Fill(Span<Candidate> candidates, IReadOnlySet<string> excluded, TimeSpan now)
    {
        int count = 0;
        foreach (Place place in _places)
        {
            if (!place.IsSuspect && (excluded.Count == 0 || !excluded.Contains(place.Worker.Id)))
                candidates[count++] = place.At(now);
        }
        return count;
    }

    /// <summary>All of them, suspects too.</summary>
    public IEnumerable<Candidate> All(TimeSpan now) => _places.Select(place => place.At(now));

    /// <summary>Slots of those who are not suspects, busy ones included.</summary>
    public int Slots() => _places.Sum(place => place.IsSuspect ? 0 : place.Worker.Total);

    private static Place? PlaceOf(WorkerEntry worker, string model, bool isForwarded, PlacementRule rule)
    {
        if (worker.View is not { } view || !ProtocolVersion.IsCompatible(view.Report.Version))
            return null;
        if (view.State is WorkerState.Draining or WorkerState.Gone || !rule.Admits(view))
            return null;
        if (isForwarded)
            return worker.ForwardsTo(model) ? new(worker, view.State, Warmth.Loaded, null, HasMemory: true) : null;
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
        return new(worker, view.State, warmth, PaceScale.Known(held?.JobTokensPerSecond), held?.Loaded == true || view.Report.HasMemoryFor(rule.ModelBytes));
    }

    private sealed record Place(WorkerEntry Worker, WorkerState State, Warmth Warmth, double? Speed, bool HasMemory)
    {
        public int Pace { get; init; }

        /// <summary>It comes last until it is heard again.</summary>
        public bool IsSuspect => State == WorkerState.Suspect || Worker.SuspectedAt is not null;

        public Candidate At(TimeSpan now) => new(Worker.Id, Warmth, Worker.UsedAt(now), Worker.Total)
        {
            Expected = Worker.ExpectedAt(now),
            Key = Worker.Key,
            Pace = Pace,
        };
    }
}

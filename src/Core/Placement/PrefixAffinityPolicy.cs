using System.Numerics;

namespace OllamaMax.Placement;

/// <summary>
/// Sends prompts that begin alike to few workers, and the turns of a conversation to one of these. Rendezvous hashing (Thaler, Ravishankar: Using Name-Based Mappings
/// to Increase Hit Rates, 1998) twice. By the hash of the prompt's beginning each worker stands in a ring; a ring has half as many workers as the next one outwards,
/// and faster workers stand further in. The smallest circle of rings that is not busier than it may be takes the job: a beginning that is
/// seldom asked for has one worker, one that everybody asks for has as many as it needs. Within the circle the hash of the conversation decides. No worker is used
/// much beyond the others' average (Mirrokni, Thorup, Zadimoghaddam: Consistent Hashing with Bounded Loads, 2018), and only those count where the model is nearest to running.
/// </summary>
/// <remarks>Without state and without chance: edges that see the same choose the same.</remarks>
public sealed class PrefixAffinityPolicy : IPlacementPolicy
{
    /// <summary>Up to this share of its slots no circle and no worker is too busy.</summary>
    private const double Easy = 0.5;

    /// <summary>How far a circle may be above the average of all, so that its workers have room for the conversations that they hold.</summary>
    private const double CircleSlack = 1.1;

    /// <summary>How far one worker may be above the average of all.</summary>
    private const double WorkerSlack = 1.25;

    /// <summary>A hash of 64 bits has 0 to 64 zeros in front.</summary>
    private const int Rings = 65;

    public string? Choose(ReadOnlySpan<Candidate> candidates, PromptPrefix prompt, PromptPrefix model)
    {
        if (LimitsOf(candidates) is not { } limits)
            return null;
        PromptPrefix prefix = limits.Warmth == Warmth.Loaded && !prompt.IsNone ? prompt : model;
        int circle = SmallestCircle(candidates, limits, prefix.Beginning);
        bool isOneHash = prefix.Beginning == prefix.Conversation;
        int home = -1;
        int chosen = -1;
        ulong homeScore = 0;
        ulong chosenScore = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            ref readonly Candidate candidate = ref candidates[i];
            if (candidate.Warmth != limits.Warmth || RingOf(candidate, prefix.Beginning) < circle)
                continue;
            // Fast workers are in the circle more often than others; only where all of them are, and could not be more often, does speed count here too. Where one
            // hash says both, it says where in its ring a worker stands.
            int steps = isOneHash ? StepsOf(candidate) : Math.Max(0, StepsOf(candidate) - circle);
            ulong score = PlacementHash.Spread(candidate.Key ^ prefix.Conversation) >> steps;
            if (home < 0 || score < homeScore)
                (home, homeScore) = (i, score);
            if ((chosen < 0 || score < chosenScore) && limits.Admit(candidate))
                (chosen, chosenScore) = (i, score);
        }
        // For a conversation that goes on, its home is worth its last slot; others keep away in time, so that there is one.
        return candidates[prefix.IsContinued && candidates[home].HasFreeSlot ? home : chosen].WorkerId;
    }

    /// <summary>By the load of those where the model is nearest to running; null where nobody has a free slot.</summary>
    private static Limits? LimitsOf(ReadOnlySpan<Candidate> candidates)
    {
        Span<Load> loads = stackalloc Load[(int)Warmth.Loaded + 1];
        loads.Clear();
        foreach (ref readonly Candidate candidate in candidates)
            loads[(int)candidate.Warmth].Add(candidate, candidate.HasFreeSlot);
        for (int warmth = loads.Length - 1; warmth >= 0; warmth--)
        {
            if (loads[warmth].HasRoom)
                return new((Warmth)warmth, Math.Max(Easy, CircleSlack * loads[warmth].Share), Math.Max(Easy, WorkerSlack * loads[warmth].Share));
        }
        return null;
    }

    /// <summary>
    /// The ring from which on, inwards, there is room and somebody who may be used. All rings together always have both: who has a free slot and is used least is not
    /// above the average, unless that is beyond all slots, and then the limit is too.
    /// </summary>
    private static int SmallestCircle(ReadOnlySpan<Candidate> candidates, Limits limits, ulong beginning)
    {
        Span<Load> rings = stackalloc Load[Rings];
        rings.Clear();
        foreach (ref readonly Candidate candidate in candidates)
        {
            if (candidate.Warmth == limits.Warmth)
                rings[RingOf(candidate, beginning)].Add(candidate, limits.Admit(candidate));
        }
        Load circle = default;
        for (int ring = Rings - 1; ring > 0; ring--)
        {
            circle.Add(rings[ring]);
            if (circle.HasRoom && circle.Used < limits.Circle * circle.Total)
                return ring;
        }
        return 0;
    }

    private static int RingOf(in Candidate candidate, ulong beginning) =>
        BitOperations.LeadingZeroCount(PlacementHash.Spread(candidate.Key ^ beginning) >> StepsOf(candidate));

    private static int StepsOf(in Candidate candidate) => candidate.Pace - PaceScale.Slowest;

    /// <param name="Warmth">Of those that count.</param>
    /// <param name="Circle">Share of its slots that a circle may have in use.</param>
    /// <param name="Worker">The same of one worker.</param>
    private readonly record struct Limits(Warmth Warmth, double Circle, double Worker)
    {
        public bool Admit(in Candidate candidate) => candidate.HasFreeSlot && candidate.Expected < Worker * candidate.Total;
    }

    /// <summary>Slots of several workers.</summary>
    private struct Load
    {
        public long Used { get; private set; }

        public long Total { get; private set; }

        /// <summary>One of them may be used.</summary>
        public bool HasRoom { get; private set; }

        public readonly double Share => (double)Used / Total;

        public void Add(in Candidate candidate, bool hasRoom)
        {
            Used += candidate.Expected;
            Total += candidate.Total;
            HasRoom |= hasRoom;
        }

        public void Add(in Load other)
        {
            Used += other.Used;
            Total += other.Total;
            HasRoom |= other.HasRoom;
        }
    }
}

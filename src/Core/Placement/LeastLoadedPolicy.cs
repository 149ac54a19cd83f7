namespace OllamaMax.Placement;

/// <summary>
/// The warmest worker with a free slot, and among equals the one with the smallest share of its slots in use; chance decides a draw.
/// </summary>
/// <param name="random">Decides draws, so that edges that know the same do not all choose the same.</param>
public sealed class LeastLoadedPolicy(Random random)
{
    /// <summary>Null when no candidate has a free slot.</summary>
    public string? Choose(IEnumerable<Candidate> candidates)
    {
        Candidate? best = null;
        int draws = 0;
        foreach (Candidate candidate in candidates)
        {
            if (!candidate.HasFreeSlot)
                continue;
            int order = best is null ? 1 : Compare(candidate, best.Value);
            if (order > 0)
                draws = 1;
            if (order > 0 || (order == 0 && random.Next(++draws) == 0))
                best = candidate;
        }
        return best?.WorkerId;
    }

    private static int Compare(Candidate a, Candidate b) => a.Warmth != b.Warmth
        ? a.Warmth.CompareTo(b.Warmth)
        // Used/Total compared without division.
        : ((long)b.Used * a.Total).CompareTo((long)a.Used * b.Total);
}

namespace OllamaMax.Placement;

/// <summary>
/// The warmest worker with a free slot, and among equals the one with the smallest share of its slots in use; chance decides a draw.
/// </summary>
/// <param name="random">Decides draws, so that edges that know the same do not all choose the same.</param>
public sealed class LeastLoadedPolicy(Random random) : IPlacementPolicy
{
    public string? Choose(ReadOnlySpan<Candidate> candidates, PromptPrefix prompt, PromptPrefix model)
    {
        int best = -1;
        int draws = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            ref readonly Candidate candidate = ref candidates[i];
            if (!candidate.HasFreeSlot)
                continue;
            int order = best < 0 ? 1 : Compare(candidate, candidates[best]);
            if (order > 0)
                draws = 1;
            if (order > 0 || (order == 0 && random.Next(++draws) == 0))
                best = i;
        }
        return best < 0 ? null : candidates[best].WorkerId;
    }

    private static int Compare(in Candidate a, in Candidate b) => a.Warmth != b.Warmth
        ? (int)a.Warmth - (int)b.Warmth
        // Used/Total compared without division.
        : ((long)b.Used * a.Total).CompareTo((long)a.Used * b.Total);
}

using OllamaMax.Placement;

namespace OllamaMax.Bench.Placement;

/// <summary>Any worker with a free slot, as far as the edge knows.</summary>
internal sealed class RandomPolicy(Random random) : IPlacementPolicy
{
    public string? Choose(ReadOnlySpan<Candidate> candidates, PromptPrefix prompt, PromptPrefix model)
    {
        int chosen = -1;
        int seen = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            if (candidates[i].HasFreeSlot && random.Next(++seen) == 0)
                chosen = i;
        }
        return chosen < 0 ? null : candidates[chosen].WorkerId;
    }
}

/// <summary>The next one with a free slot; each edge counts for itself.</summary>
internal sealed class RoundRobinPolicy(int first) : IPlacementPolicy
{
    private int _next = first;

    public string? Choose(ReadOnlySpan<Candidate> candidates, PromptPrefix prompt, PromptPrefix model)
    {
        for (int i = 0; i < candidates.Length; i++)
        {
            ref readonly Candidate candidate = ref candidates[_next++ % candidates.Length];
            if (candidate.HasFreeSlot)
                return candidate.WorkerId;
        }
        return null;
    }
}

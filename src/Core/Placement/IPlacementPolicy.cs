namespace OllamaMax.Placement;

/// <summary>Chooses among the workers that may run a job. Has no state: it knows what it is shown.</summary>
public interface IPlacementPolicy
{
    /// <summary>The id of a candidate with a free slot; null when none has one. Allocates nothing that grows with the candidates.</summary>
    /// <param name="candidates">In any order.</param>
    /// <param name="prompt">What the prompt has in common with others.</param>
    /// <param name="model">What to go by while nobody has the model in memory.</param>
    string? Choose(ReadOnlySpan<Candidate> candidates, PromptPrefix prompt, PromptPrefix model);
}

namespace OllamaMax.Placement;

/// <summary>Where a job is to run: what its edge chooses a worker by.</summary>
/// <param name="Rule">Who may run it, and who chooses.</param>
/// <param name="Prefix">What its prompt has in common with others.</param>
public sealed record JobPlacement(PlacementRule Rule, PromptPrefix Prefix)
{
    public static JobPlacement Anywhere { get; } = new(PlacementRule.Default, default);
}

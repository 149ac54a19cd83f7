namespace OllamaMax.Edge.Jobs;

/// <summary>What was under way when all records were gone through.</summary>
/// <param name="Jobs">By their ids.</param>
/// <param name="BegunAt">A timestamp: what has happened since may not be in it.</param>
internal sealed record UnderWayListing(IReadOnlyDictionary<string, JobUnderWay> Jobs, long BegunAt)
{
    private static readonly TimeSpan UsableAtLeast = TimeSpan.FromSeconds(1);

    /// <summary>So that an edge is not at it all the time where records are many: those that have ended are gone through as well.</summary>
    private const int UsableTimesItTook = 4;

    public required TimeSpan Took { get; init; }

    public required long EndedAt { get; init; }

    public TimeSpan UsableFor => Took * UsableTimesItTook > UsableAtLeast ? Took * UsableTimesItTook : UsableAtLeast;
}

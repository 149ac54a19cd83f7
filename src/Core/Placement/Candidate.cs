namespace OllamaMax.Placement;

/// <summary>A worker that could run a job, as a policy sees it.</summary>
/// <param name="Warmth">How near the model is to running there.</param>
/// <param name="Used">Slots in use, this edge's own in-flight jobs counted in.</param>
/// <param name="Total">Slots it has.</param>
public readonly record struct Candidate(string WorkerId, Warmth Warmth, int Used, int Total)
{
    /// <summary>Slots that are likely to be in use: what it last said counts here for longer than as <see cref="Used"/>, of which this has at least as many.</summary>
    public int Expected { get; init; } = Used;

    /// <summary>The worker's number in hashing, the same at every edge: <see cref="KeyOf"/>.</summary>
    public ulong Key { get; init; }

    /// <summary>How fast it is beside the others, in doublings: from <see cref="PaceScale.Slowest"/> to <see cref="PaceScale.Fastest"/>, 0 where nobody knows.</summary>
    public int Pace { get; init; }

    public bool HasFreeSlot => Used < Total;

    public static ulong KeyOf(string workerId) => PlacementHash.Of(workerId);
}

public enum Warmth
{
    /// <summary>It would have to copy the model first.</summary>
    None,

    /// <summary>It has a replica on disk.</summary>
    Replica,

    /// <summary>The model is on its way into its memory.</summary>
    Loading,

    /// <summary>The model is in its memory.</summary>
    Loaded,
}

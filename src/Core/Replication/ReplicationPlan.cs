namespace OllamaMax.Replication;

/// <summary>What is to be done so that each model has its copies, and how far that is.</summary>
/// <param name="Models">By digest.</param>
/// <param name="Orders">For workers whose copies are not what they are to be.</param>
public sealed record ReplicationPlan(IReadOnlyDictionary<string, ModelReplication> Models, IReadOnlyList<ReplicaOrders> Orders);

/// <summary>Weights that policies apply to.</summary>
/// <param name="Digest"><c>sha256:…</c></param>
/// <param name="Bytes">Of the weights.</param>
/// <param name="Policies">Of all names that stand for them.</param>
public sealed record PolicedModel(string Digest, long Bytes, IReadOnlyList<ModelPolicy> Policies)
{
    /// <summary>Names want different numbers: each has its own.</summary>
    public int Desired => Policies.Max(policy => policy.MinReplicas);

    /// <summary>Copies that nobody wants to be fewer; null: any number.</summary>
    public int? Most => Policies.Any(policy => policy.MaxReplicas is null) ? null : Policies.Max(policy => Math.Max(policy.MaxReplicas!.Value, policy.MinReplicas));

    /// <summary>Copies that are to be in memory.</summary>
    public int DesiredWarm => Policies.Where(policy => policy.Warm).Select(policy => policy.MinReplicas).DefaultIfEmpty().Max();

    public bool IsPinned => Policies.Any(policy => policy.Pin);

    public int Priority => Policies.Max(policy => policy.Priority);
}

/// <param name="Desired">Copies that there are to be at least.</param>
/// <param name="Actual">Copies on workers that count: those that are gone or to be drained do not, nor those without the labels.</param>
/// <param name="InProgress">On their way, or ordered now.</param>
/// <param name="BlockedBecause">Why there are fewer than desired, and none on its way that would be; null where there is nothing to say.</param>
public sealed record ModelReplication(int Desired, int Actual, int InProgress, string? BlockedBecause)
{
    /// <summary>Copies that are kept in memory by a policy, and are there; null where no policy wants any.</summary>
    public int? Warm { get; init; }
}

/// <param name="Ensure">Digests to hold, the most urgent first.</param>
/// <param name="Evict">Digests to delete.</param>
/// <param name="Pinned">All that are to stay, wherever they are.</param>
/// <param name="Warm">All that are to be in memory, and stay there.</param>
public sealed record ReplicaOrders(string WorkerId, IReadOnlyList<string> Ensure, IReadOnlyList<string> Evict, IReadOnlyList<string> Pinned, IReadOnlyList<string> Warm);

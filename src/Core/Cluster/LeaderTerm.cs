namespace OllamaMax.Cluster;

/// <summary>A leader's time in office, from taking the lease to losing it.</summary>
/// <param name="Epoch">Greater than that of every leader before.</param>
/// <param name="Leader">Id of the edge.</param>
/// <param name="Since">By that edge's clock.</param>
public sealed record LeaderTerm(long Epoch, string Leader, DateTimeOffset Since);

namespace OllamaMax.Replication;

/// <summary>A copy on its way to a worker, or one that could not be had a short while ago; part of its report.</summary>
/// <param name="Digest">Of the weights, <c>sha256:…</c>.</param>
/// <param name="Completed">Bytes that are there and verified.</param>
/// <param name="Total">Bytes of all; 0 while they are not known.</param>
/// <param name="BytesPerSecond">Fetched since the start, on average.</param>
public sealed record ReplicaTransfer(string Digest, long Completed, long Total, long BytesPerSecond)
{
    /// <summary>Why it has ended without a copy; null while it runs.</summary>
    public string? Error { get; init; }

    /// <summary>True: people have ended it, and for a while the worker makes none, for whomever; null otherwise.</summary>
    public bool? Cancelled { get; init; }
}

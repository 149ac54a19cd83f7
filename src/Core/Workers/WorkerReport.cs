using System.Text.Json.Serialization;
using OllamaMax.Replication;

namespace OllamaMax.Workers;

/// <summary>
/// What a worker says about itself: the metadata of its heartbeat blob. When it was said is the blob's
/// Last-Modified, storage's clock; the worker's own is not asked.
/// </summary>
public sealed record WorkerReport
{
    public required int Version { get; init; }

    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Host { get; init; }

    public required int Pid { get; init; }

    /// <summary>Chance, drawn at its start: tells it from another process under the same identity. Null: it is of a version that has none.</summary>
    public string? Instance { get; init; }

    public string? Site { get; init; }

    /// <summary>What its operator says of the box, such as <c>gpu=a100</c>; within the bounds of <see cref="WorkerLabels"/>, or nobody heeds them.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Program { get; init; }

    public required bool Draining { get; init; }

    /// <summary>It has ended in an orderly way; this is its last report.</summary>
    public bool Left { get; init; }

    public required int SlotsUsed { get; init; }

    public required int SlotsTotal { get; init; }

    /// <summary>Seconds until the next report at the latest: who is silent for several times this is gone.</summary>
    public required double IntervalSeconds { get; init; }

    /// <summary>In memory or on disk. As written it may lack some that are on disk: the blob's content has them then (<see cref="HeartbeatContent.Copies"/>).</summary>
    public required IReadOnlyList<HeldModel> Models { get; init; }

    /// <summary>What models are computed on; empty until the worker knows.</summary>
    public required IReadOnlyList<WorkerDevice> Devices { get; init; }

    /// <summary>Bytes of the machine's own memory, or of what its container may have.</summary>
    public long MemoryTotal { get; init; }

    /// <summary>Of it, bytes that nobody uses at the moment.</summary>
    public long MemoryFree { get; init; }

    /// <summary>Generated tokens per second over the last jobs, all slots together; null before the first.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>What its process has asked of storage so far; null: it does not say.</summary>
    public StorageCounts? Storage { get; init; }

    /// <summary>Digest of the heartbeat blob's content (<see cref="HeartbeatContent"/>); null: it is empty. The name in JSON is that of when it listed forwarded models alone.</summary>
    [JsonPropertyName("forwards")]
    public string? Content { get; init; }

    /// <summary>Copies of weights on their way to its disk, and those that could not be had a short while ago; null: none.</summary>
    public IReadOnlyList<ReplicaTransfer>? Transfers { get; init; }

    /// <summary>Which disk its copies are on: workers that share a folder say the same. Null: it does not say.</summary>
    public string? Disk { get; init; }

    /// <summary>Bytes of disk for further copies without deleting any; null: it does not say.</summary>
    public long? DiskRoom { get; init; }

    /// <summary>Bytes of copies that the worker deletes when others need their room; null: none.</summary>
    public long? DiskEvictable { get; init; }

    /// <summary>Why copies can be neither made nor deleted there; null: they can, or it does not say. An edge of an older version goes by the room, which is none.</summary>
    public string? DiskError { get; init; }

    /// <summary>Whether a copy of so much can come to fit onto its disk, as far as it says.</summary>
    public bool HasDiskFor(long bytes) => DiskRoom is not { } room || bytes <= room + (double)(DiskEvictable ?? 0);

    /// <summary>Whether so much can ever fit into all of its memory, its GPUs' included. A report without figures says nothing against it.</summary>
    public bool HasMemoryFor(long bytes) => MemoryTotal == 0 || bytes <= MemoryTotal + Devices.Sum(device => (double)device.VramTotal);
}

/// <param name="Digest">Digest of the weights, <c>sha256:…</c>.</param>
/// <param name="Loaded">In memory; otherwise a replica on disk.</param>
/// <param name="ContextLength">Tokens of context a slot has; only when loaded.</param>
/// <param name="Bytes">Memory it takes; only when loaded.</param>
public sealed record HeldModel(string Digest, bool Loaded, int? ContextLength = null, long? Bytes = null)
{
    /// <summary>Of <see cref="Bytes"/>, those that are a GPU's; null: none.</summary>
    public long? VramBytes { get; init; }

    /// <summary>
    /// Seconds from the report until it leaves memory, unless it is used again; null: it stays. Not a time of day: that would be the worker's clock.
    /// </summary>
    [JsonPropertyName("expires_in_seconds")]
    public double? ExpiresIn { get; init; }

    /// <summary>Generated tokens per second, all its slots together; null before its first job.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Generated tokens per second of one of its jobs, the reading of the prompt included: what a client gets. Null before its first.</summary>
    public double? JobTokensPerSecond { get; init; }

    /// <summary>True: its decoder stands still and cannot be ended, and the worker takes nothing for it; null otherwise.</summary>
    public bool? Hangs { get; init; }

    /// <summary>True: its copy stays on disk whatever room others need; null otherwise.</summary>
    public bool? Pinned { get; init; }

    /// <summary>True: it is to be in memory and to stay there, and is loaded when there is room; null otherwise.</summary>
    public bool? Warm { get; init; }

    /// <summary>It is being loaded, and so much of it is read.</summary>
    public int? LoadingPercent { get; init; }

    /// <summary>In memory, or on its way there.</summary>
    [JsonIgnore]
    public bool IsInMemory => Loaded || LoadingPercent is not null;
}

/// <param name="Index">From 0, in the library's order.</param>
/// <param name="Name">For people, such as the card's name.</param>
/// <param name="Backend">What computes there: <c>CUDA</c>, <c>Vulkan</c>, <c>Metal</c>, <c>CPU</c>.</param>
/// <param name="VramTotal">Bytes of its own memory; 0 where it uses the machine's, as a CPU does.</param>
/// <param name="VramFree">Of it, bytes that nobody uses, whoever that is.</param>
public sealed record WorkerDevice(int Index, string Name, string Backend, long VramTotal, long VramFree);

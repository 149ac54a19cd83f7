using System.Text.Json.Serialization;

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

    public string? Site { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Program { get; init; }

    public required bool Draining { get; init; }

    /// <summary>It has ended in an orderly way; this is its last report.</summary>
    public bool Left { get; init; }

    public required int SlotsUsed { get; init; }

    public required int SlotsTotal { get; init; }

    /// <summary>Seconds until the next report at the latest: who is silent for several times this is gone.</summary>
    public required double IntervalSeconds { get; init; }

    public required IReadOnlyList<HeldModel> Models { get; init; }

    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>Memory of each device, the machine's own among them.</summary>
    public IReadOnlyList<DeviceMemory> Memory { get; init; } = [];

    /// <summary>Generated tokens per second over the last jobs, all slots together; null before the first.</summary>
    public double? TokensPerSecond { get; init; }
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

    /// <summary>True: its decoder stands still and cannot be ended, and the worker takes nothing for it; null otherwise.</summary>
    public bool? Hangs { get; init; }

    /// <summary>It is being loaded, and so much of it is read.</summary>
    public int? LoadingPercent { get; init; }
}

/// <param name="Device">What it belongs to; <c>cpu</c> for the machine's own.</param>
/// <param name="Total">Bytes.</param>
/// <param name="Free">Bytes that nobody uses at the moment.</param>
public sealed record DeviceMemory(string Device, long Total, long Free);

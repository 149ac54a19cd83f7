namespace OllamaMax.Bench.Replication;

/// <summary>How much is measured.</summary>
internal sealed record ReplicationSizes
{
    public static ReplicationSizes Full { get; } = new();

    public static ReplicationSizes Quick { get; } = new() { Bytes = 24 << 20, Repeats = 1 };

    /// <summary>Of a model.</summary>
    public int Bytes { get; init; } = 265_000_000;

    /// <summary>Of the model whose copy's memory is set beside that of the first.</summary>
    public int FewBytes => Bytes / 4;

    public int Repeats { get; init; } = 7;

    public int Workers { get; init; } = 3;
}

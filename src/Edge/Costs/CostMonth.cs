using System.Text.Json.Serialization;

namespace OllamaMax.Edge.Costs;

/// <summary>What one month has come to so far, added up by all edges: <c>cluster/costs-{yyyy-MM}</c>.</summary>
/// <param name="Schema">Of the document.</param>
/// <param name="Since">From when on there were counts: an edge that began to count in the middle of a month knows nothing of before.</param>
/// <param name="Until">When an edge has last added.</param>
/// <param name="Counts">By the names of <see cref="CostNames"/>.</param>
internal sealed record CostMonth(int Schema, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyDictionary<string, long> Counts)
{
    public const int CurrentSchema = 1;

    /// <summary>With more, counted between two times.</summary>
    public static CostMonth Add(CostMonth? before, IReadOnlyDictionary<string, long> more, DateTimeOffset from, DateTimeOffset to)
    {
        if (before is null)
            return new(CurrentSchema, from, to, more);
        Dictionary<string, long> sums = new(before.Counts);
        foreach (var (name, count) in more)
            sums[name] = sums.GetValueOrDefault(name) + count;
        return before with { Since = before.Since < from ? before.Since : from, Until = before.Until > to ? before.Until : to, Counts = sums };
    }
}

/// <summary>What is counted.</summary>
internal static class CostNames
{
    public const string StorageReads = "storage_reads";
    public const string StorageWrites = "storage_writes";
    public const string StorageLists = "storage_lists";
    public const string QueueOperations = "queue_operations";
    public const string SignalRMessages = "signalr_messages";
    public const string Requests = "requests";
}

/// <param name="Name">One of <see cref="CostNames"/>.</param>
/// <param name="Total">Since the process began; only grows.</param>
internal sealed record CostSource(string Name, Func<long> Total);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CostMonth))]
[JsonSerializable(typeof(CostAnswer))]
internal sealed partial class CostJson : JsonSerializerContext;

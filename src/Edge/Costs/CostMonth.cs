using System.Text.Json.Serialization;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Costs;

/// <summary>What one month has come to so far, added up by all edges: <c>cluster/costs-{yyyy-MM}</c>.</summary>
/// <param name="Schema">Of the document.</param>
/// <param name="Since">From when on there were counts: an edge that began to count in the middle of a month knows nothing of before.</param>
/// <param name="Until">When an edge has last added.</param>
/// <param name="Counts">By the names of <see cref="CostNames"/>.</param>
internal sealed record CostMonth(int Schema, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyDictionary<string, long> Counts)
{
    public const int CurrentSchema = 1;

    /// <summary>Between two additions. A worker writes its figures itself, and is believed within bounds.</summary>
    private const long MostOfAWorker = 1_000_000;

    /// <summary>What each worker had asked of storage when that was last added, by the worker's id; null: never yet.</summary>
    public IReadOnlyDictionary<string, WorkerOperations>? Workers { get; init; }

    /// <summary>With more, counted between two times.</summary>
    public static CostMonth Add(CostMonth? before, IReadOnlyDictionary<string, long> more, DateTimeOffset from, DateTimeOffset to)
    {
        if (before is null)
            return new(CurrentSchema, from, to, more);
        return before with { Since = before.Since < from ? before.Since : from, Until = before.Until > to ? before.Until : to, Counts = Sum(before.Counts, more) };
    }

    /// <summary>With what workers have asked of storage since they were last looked at. The first look at all only takes note of where they stand: how much of that is of this month nobody knows.</summary>
    public CostMonth Add(IReadOnlyList<WorkerReport> workers)
    {
        Dictionary<string, WorkerOperations> seen = Workers?.ToDictionary() ?? [];
        Dictionary<string, long> more = [];
        foreach (WorkerReport report in workers)
        {
            if (report.Storage is not { } total)
                continue;
            // Another process began at nothing.
            StorageCounts before = seen.GetValueOrDefault(report.Id) is { } last && last.Pid == report.Pid ? last.Total : default;
            seen[report.Id] = new(report.Pid, total);
            if (Workers is null)
                continue;
            more = Sum(more, new Dictionary<string, long>
            {
                [CostNames.StorageReads] = Bounded(total.Reads - before.Reads),
                [CostNames.StorageWrites] = Bounded(total.Writes - before.Writes),
                [CostNames.StorageLists] = Bounded(total.Lists - before.Lists),
                [CostNames.QueueOperations] = Bounded(total.Queue - before.Queue),
            });
        }
        return this with { Counts = Sum(Counts, more), Workers = seen };
    }

    private static long Bounded(long more) => Math.Clamp(more, 0, MostOfAWorker);

    private static Dictionary<string, long> Sum(IReadOnlyDictionary<string, long> counts, IReadOnlyDictionary<string, long> more)
    {
        Dictionary<string, long> sums = new(counts);
        foreach (var (name, count) in more)
            sums[name] = sums.GetValueOrDefault(name) + count;
        return sums;
    }
}

/// <param name="Pid">Of the process that counts: it begins at nothing.</param>
/// <param name="Total">Since it began.</param>
internal sealed record WorkerOperations(int Pid, StorageCounts Total);

/// <summary>What is counted.</summary>
internal static class CostNames
{
    public const string StorageReads = "storage_reads";
    public const string StorageWrites = "storage_writes";
    public const string StorageLists = "storage_lists";
    public const string QueueOperations = "queue_operations";
    public const string SignalRMessages = "signalr_messages";
    public const string Requests = "requests";

    /// <summary>Time in which an instance had requests, as functions are billed.</summary>
    public const string BilledMilliseconds = "billed_milliseconds";
}

/// <param name="Name">One of <see cref="CostNames"/>.</param>
/// <param name="Total">Since the process began; only grows.</param>
internal sealed record CostSource(string Name, Func<long> Total);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CostMonth))]
[JsonSerializable(typeof(CostAnswer))]
internal sealed partial class CostJson : JsonSerializerContext;

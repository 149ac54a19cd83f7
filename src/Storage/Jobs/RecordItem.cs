using System.Globalization;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Storage.Jobs;

/// <summary>What a list tells of a background job; a record's metadata.</summary>
/// <param name="Model">Digest of the weights.</param>
/// <param name="DueAt">When somebody should look at it who has no other reason to.</param>
/// <param name="Error">Why it failed, cut to what metadata can carry.</param>
public sealed record RecordItem(
    string Id, string Tenant, RecordStatus Status, string ModelName, string Model, DateTimeOffset CreatedAt, DateTimeOffset DueAt, string? Error)
{
    /// <summary>It has not ended.</summary>
    public bool IsUnderWay => Status is RecordStatus.Queued or RecordStatus.Running;

    /// <summary>Failed, and set aside because of what its attempts came to.</summary>
    public bool IsPoison { get; init; }

    /// <summary>The job with a strategy whose branches are to run on different workers, this one among them; null: it may run anywhere.</summary>
    public string? SpreadOf { get; init; }

    /// <summary>Who runs it now, or ran it last.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Attempts issued so far; null in records of an older version.</summary>
    public int? Attempts { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Metadata holds 8 KB in all, and escaping makes nine characters of one.</summary>
    private const int LongestError = 300;

    public static RecordItem Of(JobRecord record, DateTimeOffset dueAt) =>
        new(record.Id, record.Tenant, record.Status, record.ModelName, record.Model, record.CreatedAt, dueAt, record.Error?.Message)
        {
            IsPoison = record.IsPoison,
            SpreadOf = record.IsSpread ? record.StrategyId : null,
            WorkerId = record.Attempt?.WorkerId,
            Attempts = record.Attempts,
            EndedAt = record.EndedAt,
        };

    /// <summary>Null where it is not a record of ours.</summary>
    internal static RecordItem? Read(string id, IDictionary<string, string> metadata)
    {
        if (!metadata.TryGetValue("tenant", out string? tenant)
            || !Enum.TryParse(metadata.TryGetValue("status", out string? text) ? text : "", out RecordStatus status)
            || !TryTime(metadata, "created", out DateTimeOffset createdAt)
            || !TryTime(metadata, "due", out DateTimeOffset dueAt))
            return null;
        return new RecordItem(id, Uri.UnescapeDataString(tenant), status, Text("name"), Text("model"), createdAt, dueAt, TextOrNull("error"))
        {
            IsPoison = metadata.ContainsKey("poison"),
            SpreadOf = TextOrNull("spread"),
            WorkerId = TextOrNull("worker"),
            Attempts = int.TryParse(Text("attempts"), NumberStyles.None, CultureInfo.InvariantCulture, out int attempts) ? attempts : null,
            EndedAt = TryTime(metadata, "ended", out DateTimeOffset endedAt) ? endedAt : null,
        };

        string? TextOrNull(string name) => Text(name) is { Length: > 0 } there ? there : null;

        string Text(string name) => metadata.TryGetValue(name, out string? value) ? Uri.UnescapeDataString(value) : "";
    }

    internal Dictionary<string, string> Write()
    {
        Dictionary<string, string> metadata = new()
        {
            ["tenant"] = Uri.EscapeDataString(Tenant),
            ["status"] = Status.ToString(),
            ["name"] = Uri.EscapeDataString(ModelName),
            ["model"] = Model,
            ["created"] = Format(CreatedAt),
            ["due"] = Format(DueAt),
        };
        if (IsPoison)
            metadata["poison"] = "true";
        if (SpreadOf is { } strategy)
            metadata["spread"] = Uri.EscapeDataString(strategy);
        if (WorkerId is { } worker)
            metadata["worker"] = Uri.EscapeDataString(worker);
        if (Attempts is { } attempts)
            metadata["attempts"] = attempts.ToString(CultureInfo.InvariantCulture);
        if (EndedAt is { } endedAt)
            metadata["ended"] = Format(endedAt);
        if (Error is { Length: > 0 } error)
            metadata["error"] = Uri.EscapeDataString(error.Length > LongestError ? error[..LongestError] : error);
        return metadata;
    }

    private static string Format(DateTimeOffset time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static bool TryTime(IDictionary<string, string> metadata, string name, out DateTimeOffset time)
    {
        time = default;
        return metadata.TryGetValue(name, out string? text)
            && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
    }
}

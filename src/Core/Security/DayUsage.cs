using System.Text.Json.Serialization;

namespace OllamaMax.Security;

/// <summary>What one key has used on one day of UTC.</summary>
/// <param name="Credential">The key's id, or the subject of a token.</param>
/// <param name="Models">By the model's own name.</param>
public sealed record DayUsage(DateOnly Day, string Tenant, string Credential, IReadOnlyDictionary<string, UseCount> Models)
{
    private const int MostAdditions = 16;

    /// <summary>
    /// Of the document; empty, as generated code reads what is left out as null, where it is older than this: made anew, after the day was rolled up, it is another. What stands in one only grows, so of two copies of one document the one with more is the newer.
    /// </summary>
    public string Document { get; init => field = value ?? ""; } = "";

    /// <summary>
    /// Ids of what was added last, the newest at the end: whoever does not know whether an addition arrived finds it here. More than are written between a write and the next try of it.
    /// </summary>
    public IReadOnlyList<string> Additions { get; init => field = value ?? []; } = [];

    /// <summary>Whether nothing is missing that JSON may have left out or have null for.</summary>
    [JsonIgnore]
    public bool IsWhole =>
        Tenant is not null && Credential is not null && Models is not null && Models.Values.All(count => count is not null);

    /// <summary>What the key, or the user of an issuer, was called last; null: not known.</summary>
    public string? Name { get; init; }

    private long Requests => Models.Values.Sum(count => count.Requests);

    public DayUsage Add(DayUsage more)
    {
        Dictionary<string, UseCount> all = Models.ToDictionary();
        foreach (var (model, count) in more.Models)
            all[model] = all.TryGetValue(model, out UseCount? before) ? before.Add(count) : count;
        return this with { Models = all, Name = more.Name ?? Name };
    }

    /// <summary>With an addition that is known by its id: the same once more changes nothing.</summary>
    public DayUsage Add(DayUsage more, string addition) =>
        Additions.Contains(addition) ? this : Add(more) with { Additions = [.. Additions.TakeLast(MostAdditions - 1), addition] };

    /// <summary>Each document once, its newest copy, by day, tenant and key.</summary>
    public static IReadOnlyList<DayUsage> Newest(IEnumerable<DayUsage> copies) =>
    [
        .. copies
            .GroupBy(copy => (copy.Day, copy.Tenant, copy.Credential, copy.Document), (_, same) => same.MaxBy(copy => copy.Requests)!)
            .OrderBy(usage => usage.Day)
            .ThenBy(usage => usage.Tenant, StringComparer.Ordinal)
            .ThenBy(usage => usage.Credential, StringComparer.Ordinal)
            .ThenBy(usage => usage.Document, StringComparer.Ordinal),
    ];

    /// <summary>What each key has used on each day, all of its documents together, from any number of copies of them.</summary>
    public static IEnumerable<DayUsage> Sums(IEnumerable<DayUsage> copies) =>
        Newest(copies).GroupBy(usage => (usage.Day, usage.Tenant, usage.Credential), (_, documents) => documents.Aggregate((sum, next) => sum.Add(next)));
}

/// <param name="Requests">Jobs that were run: a request for several answers counts each.</param>
public sealed record UseCount(long Requests, long PromptTokens, long OutputTokens)
{
    public static readonly UseCount None = new(0, 0, 0);

    /// <summary>What is more than another count of the same jobs, a figure that was only estimated then counted in.</summary>
    public UseCount Beyond(UseCount before) => new(
        Math.Max(0, Requests - before.Requests), Math.Max(0, PromptTokens - before.PromptTokens), Math.Max(0, OutputTokens - before.OutputTokens));

    public UseCount Add(UseCount other) => new(Requests + other.Requests, PromptTokens + other.PromptTokens, OutputTokens + other.OutputTokens);
}

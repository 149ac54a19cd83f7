using System.Text.Json.Serialization;

namespace OllamaMax.Security;

/// <summary>
/// What a tenant's keys have used on days of one month that are over, rolled up from a document for each key and day into this one. Pure; the leader writes it under the tag it was
/// read with. A document that is rolled up twice counts once, so a pass that was cut off is made again.
/// </summary>
/// <param name="Epoch">Of the leader who wrote it last.</param>
/// <param name="Days">The documents that were rolled up, by day and key.</param>
public sealed record MonthUsage(long Epoch, IReadOnlyList<DayUsage> Days)
{
    public static MonthUsage Empty { get; } = new(0, []);

    /// <summary>Whether nothing is missing that JSON may have left out or have null for.</summary>
    [JsonIgnore]
    public bool IsWhole => Days is not null && Days.All(day => day is { IsWhole: true });

    /// <summary>With these documents; the same instance where they are in it. Null: refused, the leader of a later epoch has written it.</summary>
    public MonthUsage? RollUp(long epoch, IEnumerable<DayUsage> documents)
    {
        if (epoch < Epoch)
            return null;
        // Nobody adds to a month's documents: what was added last is of no use there.
        IReadOnlyList<DayUsage> all = DayUsage.Newest([.. Days, .. documents.Select(document => document with { Additions = [] })]);
        return all.SequenceEqual(Days, ReferenceEqualityComparer.Instance) ? this : new(epoch, all);
    }
}

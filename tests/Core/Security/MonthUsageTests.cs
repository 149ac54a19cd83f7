using System.Text.Json;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class MonthUsageTests
{
    private static readonly DateOnly First = new(2026, 1, 2);

    [Fact]
    public void IsWhole_DayFromBeforeDocumentsHadAnIdAndAdditions_IsAndCounts()
    {
        const string Old = """{"epoch":1,"days":[{"day":"2026-01-02","tenant":"t","credential":"k1","models":{"demo":{"requests":2,"prompt_tokens":3,"output_tokens":4}}}]}""";

        MonthUsage month = JsonSerializer.Deserialize(Old, SecurityJson.Default.MonthUsage).ShouldNotBeNull();

        month.IsWhole.ShouldBeTrue();
        DayUsage.Sums(month.Days).ShouldHaveSingleItem().Models["demo"].OutputTokens.ShouldBe(4);
        month.Days[0].Add(month.Days[0], "again").Additions.ShouldBe(["again"]);
    }

    [Fact]
    public void RollUp_TheSameAgain_ChangesNothing()
    {
        MonthUsage month = MonthUsage.Empty.RollUp(1, [Used("k1", "a", 2), Used("k2", "b", 3)])!;

        month.RollUp(2, [Used("k2", "b", 3)]).ShouldBeSameAs(month);

        month.Epoch.ShouldBe(1);
        month.Days.Select(day => (day.Credential, day.Models["demo"].Requests)).ShouldBe([("k1", 2), ("k2", 3)]);
    }

    /// <summary>An ex-leader that goes on with what it read long ago takes nothing back, even before the fence refuses it.</summary>
    [Fact]
    public void RollUp_OlderCopyOfADocument_DoesNotReplaceTheNewer()
    {
        MonthUsage month = MonthUsage.Empty.RollUp(1, [Used("k1", "a", 5)])!;

        month.RollUp(1, [Used("k1", "a", 2)]).ShouldBeSameAs(month);
        month.RollUp(1, [Used("k1", "a", 7)])!.Days.ShouldHaveSingleItem().Models["demo"].Requests.ShouldBe(7);
    }

    [Fact]
    public void RollUp_DocumentMadeAnewByWhoWasLate_CountsBesides()
    {
        MonthUsage month = MonthUsage.Empty.RollUp(1, [Used("k1", "a", 5)])!.RollUp(1, [Used("k1", "late", 1)])!;

        month.Days.Count.ShouldBe(2);
        DayUsage.Sums(month.Days).ShouldHaveSingleItem().Models["demo"].Requests.ShouldBe(6);
    }

    [Fact]
    public void RollUp_EarlierEpoch_IsRefused() => MonthUsage.Empty.RollUp(3, [Used("k1", "a", 5)])!.RollUp(2, [Used("k1", "a", 9)]).ShouldBeNull();

    [Fact]
    public void Sums_CopiesInTwoPlaces_CountOnce()
    {
        DayUsage[] sums = [.. DayUsage.Sums([Used("k2", "b", 1), Used("k1", "a", 5), Used("k1", "a", 4), Used("k1", "c", 1) with { Day = First.AddDays(1) }])];

        sums.Select(sum => (sum.Day, sum.Credential, sum.Models["demo"].Requests)).ShouldBe([(First, "k1", 5), (First, "k2", 1), (First.AddDays(1), "k1", 1)]);
    }

    private static DayUsage Used(string key, string document, long requests) =>
        new(First, "tenant", key, new Dictionary<string, UseCount> { ["demo"] = new(requests, 7 * requests, 2 * requests) }) { Document = document };
}

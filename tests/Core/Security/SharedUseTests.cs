using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class SharedUseTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 23, 59, 50, TimeSpan.Zero);
    private static readonly UsageLimits Limits = new() { RequestsPerMinute = 10, TokensPerMinute = 100, TokensPerDay = 200, TokensPerMonth = 300 };

    [Fact]
    public void RequestsLeft_Taken_UntilTheMinuteIsOver()
    {
        SharedUse use = SharedUse.Nothing.Take(4, Now).Take(6, Now);

        use.RequestsLeft(Limits, Now).ShouldBe(0);
        use.Take(-2, Now).RequestsLeft(Limits, Now).ShouldBe(2);
        use.RequestsLeft(Limits, Now.AddSeconds(10)).ShouldBe(10);
        use.RequestsLeft(UsageLimits.None, Now).ShouldBe(long.MaxValue);
    }

    [Theory]
    [InlineData(99, 0, null, 0)]
    [InlineData(90, 10, "100 tokens per minute", 10)]
    [InlineData(200, 0, "200 tokens per day", 10)]
    [InlineData(250, 50, "300 tokens per month", 10)]
    public void OutOfTokens_Spent_TheLimitThatLastsLongestAndItsEnd(long spent, long pending, string? limit, double seconds)
    {
        LimitRefusal? refusal = SharedUse.Nothing.Spend(spent, Now).OutOfTokens(Limits, pending, Now);

        refusal.ShouldBe(limit is null ? null : new LimitRefusal(limit, TimeSpan.FromSeconds(seconds)));
    }

    [Fact]
    public void OutOfTokens_MonthIsOver_IsNot() =>
        SharedUse.Nothing.Spend(300, Now).OutOfTokens(Limits, 0, Now.AddSeconds(10)).ShouldBeNull();

    [Fact]
    public void Take_ClockBehind_CountsIntoTheNewestMinute()
    {
        SharedUse use = SharedUse.Nothing.Take(4, Now).Take(5, Now.AddMinutes(-1));

        use.RequestsLeft(Limits, Now).ShouldBe(1);
        use.RequestsLeft(Limits, Now.AddMinutes(-1)).ShouldBe(1);
    }

    [Fact]
    public void RunningElsewhere_Edges_TheOthersThatLive()
    {
        SharedUse use = SharedUse.Nothing.Answering("one", 3, Now).Answering("two", 2, Now.AddSeconds(30));

        use.RunningElsewhere("one", Now.AddSeconds(30)).ShouldBe(2);
        use.RunningElsewhere("three", Now.AddSeconds(30)).ShouldBe(5);
        use.RunningElsewhere("three", Now.AddSeconds(60)).ShouldBe(2);
        use.Answering("one", 0, Now).RunningElsewhere("three", Now).ShouldBe(2);
    }

    [Fact]
    public void IsWrittenBy_OthersHaveWrittenSince_IsTheEdgesLastForAnHour()
    {
        SharedUse use = SharedUse.Nothing.WrittenBy("one", "a", Now).WrittenBy("one", "b", Now).WrittenBy("two", "c", Now.AddMinutes(59));

        use.IsWrittenBy("one", "b").ShouldBeTrue();
        use.IsWrittenBy("one", "a").ShouldBeFalse();
        use.IsWrittenBy("two", "b").ShouldBeFalse();
        use.WrittenBy("two", "d", Now.AddHours(1)).Writes.Keys.ShouldBe(["two"]);
    }

    [Fact]
    public void Add_DayUsage_SumsByModel()
    {
        DayUsage day = new(new(2026, 1, 2), "acme", "k", new Dictionary<string, UseCount> { ["a"] = new(1, 10, 5) });

        DayUsage sum = day.Add(day with { Models = new Dictionary<string, UseCount> { ["a"] = new(2, 1, 1), ["b"] = new(1, 1, 1) }, Name = "ada@example.org" }).Add(day with { Models = new Dictionary<string, UseCount>() });

        sum.Models["a"].ShouldBe(new UseCount(3, 11, 6));
        sum.Models["b"].ShouldBe(new UseCount(1, 1, 1));
        sum.Name.ShouldBe("ada@example.org");
    }
}

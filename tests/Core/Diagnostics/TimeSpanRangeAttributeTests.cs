using System.Globalization;
using OllamaMax.Diagnostics;

namespace OllamaMax.Core.Tests.Diagnostics;

public sealed class TimeSpanRangeAttributeTests
{
    [Theory]
    [InlineData("00:00:00.999", false)]
    [InlineData("00:00:01", true)]
    [InlineData("1.00:00:00", true)]
    [InlineData("1.00:00:00.001", false)]
    public void IsValid_ATime_IsBetweenTheLimits(string time, bool isValid)
    {
        TimeSpanRangeAttribute range = new("00:00:01", "1.00:00:00");

        range.IsValid(TimeSpan.Parse(time, CultureInfo.InvariantCulture)).ShouldBe(isValid);
        range.FormatErrorMessage("Every").ShouldBe("The field Every must be between 00:00:01 and 1.00:00:00.");
    }

    [Fact]
    public void IsValid_FirstAskedBySeveralAtOnce_AnswersAll()
    {
        // Side by side through many of them, the threads meet at some.
        TimeSpanRangeAttribute[] ranges = [.. Enumerable.Range(0, 20_000).Select(_ => new TimeSpanRangeAttribute("00:00:01", "00:01:00"))];

        Parallel.For(0, 4, _ => ranges.ShouldAllBe(range => range.IsValid(TimeSpan.FromSeconds(2))));
    }
}

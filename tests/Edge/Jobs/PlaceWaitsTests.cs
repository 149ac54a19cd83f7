using Microsoft.Extensions.Time.Testing;
using OllamaMax.Edge.Jobs;

namespace OllamaMax.Edge.Tests.Jobs;

public sealed class PlaceWaitsTests
{
    private const string Model = "sha256:a";

    private static readonly HashSet<string> UnderWay = [Model];

    private readonly FakeTimeProvider _time = new();
    private readonly PlaceWaits _waits;

    public PlaceWaitsTests() => _waits = new(_time);

    [Fact]
    public void Of_NothingHasEnded_IsUnknown()
    {
        Measure(ended: 0, after: 0);
        Measure(ended: 0, after: 600);

        _waits.Of(Model).ShouldBe(PlaceWaits.Unknown);
    }

    [Fact]
    public void Of_OneEndsAMinute_IsAMinute()
    {
        Measure(ended: 0, after: 0);
        for (int i = 0; i < 59; i++)
            Measure(ended: 0, after: 1);

        Measure(ended: 1, after: 1);

        _waits.Of(Model).ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Of_ManyEndAtATime_IsWhatEachTook()
    {
        Measure(ended: 0, after: 0);

        Measure(ended: 4, after: 10);

        _waits.Of(Model).ShouldBe(TimeSpan.FromSeconds(2.5));
    }

    [Fact]
    public void Of_ManyMoreThanOneASecond_IsASecond()
    {
        Measure(ended: 0, after: 0);

        Measure(ended: 64, after: 1);

        _waits.Of(Model).ShouldBe(PlaceWaits.Shortest);
    }

    [Fact]
    public void Of_NothingWasThereForLong_CountsNotThatTime()
    {
        Measure(ended: 0, after: 0);
        Measure(ended: 1, after: 10, isUnderWay: false);
        Measure(ended: 0, after: 36_000);

        Measure(ended: 1, after: 5);

        _waits.Of(Model).ShouldBe(TimeSpan.FromSeconds(5));
    }

    private void Measure(int ended, int after, bool isUnderWay = true)
    {
        _time.Advance(TimeSpan.FromSeconds(after));
        _waits.Measure(Enumerable.Repeat(Model, ended), isUnderWay ? UnderWay : []);
    }
}

using OllamaMax.Inference.Batching;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class StepTimesTests
{
    private readonly StepTimes _times = new(most: 16);

    [Fact]
    public void Estimate_NothingMeasured_IsNothing()
    {
        _times.Knows(1).ShouldBeFalse();
        _times.Largest.ShouldBe(0);
        _times.Estimate(4).ShouldBe(0);
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(3, 20)]
    [InlineData(5, 30)]
    [InlineData(9, 50)]
    public void Estimate_TwoMeasured_IsOnTheLineThroughThem(int tokens, double expected)
    {
        Add(1, 10);
        Add(5, 30);

        Milliseconds(tokens).ShouldBe(expected, 1e-9);
    }

    [Fact]
    public void Estimate_OneMeasured_IsAsMuch()
    {
        Add(4, 10);

        Milliseconds(2).ShouldBe(10, 1e-9);
        Milliseconds(16).ShouldBe(10, 1e-9);
    }

    [Fact]
    public void Estimate_MoreTokensTookLess_IsNeverLessThanThat()
    {
        Add(1, 20);
        Add(2, 10);

        Milliseconds(16).ShouldBe(10, 1e-9);
    }

    [Fact]
    public void Add_OneStepWaitedForTheMachine_TheMedianStays()
    {
        Add(2, 10);
        Add(2, 900);
        Add(2, 11);

        Milliseconds(2).ShouldBe(11, 1e-9);
    }

    [Fact]
    public void Add_TimesOfLongAgo_SayNothingAnyMore()
    {
        Add(8, 80);
        for (int i = 0; i < 300; i++)
            Add(1, 10);

        _times.Knows(8).ShouldBeFalse();
        _times.Largest.ShouldBe(1);

        Add(8, 40);

        Milliseconds(8).ShouldBe(40, 1e-9);
    }

    [Fact]
    public void Add_MoreTokensThanItIsTold_AreNotCounted()
    {
        Add(17, 10);

        _times.Largest.ShouldBe(0);
        _times.Knows(17).ShouldBeFalse();
    }

    private double Milliseconds(int tokens) => 1000 * _times.Estimate(tokens);

    private void Add(int tokens, double milliseconds) => _times.Add(tokens, TimeSpan.FromMilliseconds(milliseconds));
}

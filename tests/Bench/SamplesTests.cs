using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Tests;

public sealed class SamplesTests
{
    [Theory]
    [InlineData(0.5, 50)]
    [InlineData(0.95, 95)]
    [InlineData(0.99, 99)]
    [InlineData(1, 100)]
    public void At_OneToHundred_IsTheRank(double share, double value)
    {
        Samples samples = new(Enumerable.Range(1, 100).Reverse().Select(number => (double)number));

        samples.At(share).ShouldBe(value);
    }

    [Fact]
    public void At_Nothing_IsNotANumber() => new Samples().Median.ShouldBe(double.NaN);

    [Fact]
    public void At_OneValue_IsThatValue() => new Samples(3).P99.ShouldBe(3);
}

using OllamaMax.Cluster;
using OllamaMax.Placement;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Placement;

public sealed class PlacementRuleTests
{
    private static readonly WorkerReport Report = WorkerReports.Idle() with
    {
        Site = "berlin",
        Labels = new Dictionary<string, string> { ["gpu"] = "A100" },
        Program = "0.2.1",
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("gpu=a100", true)]
    [InlineData("site=berlin, gpu=a100", true)]
    [InlineData("site=paris, gpu=a100", false)]
    [InlineData("disk=nvme", false)]
    public void Admits_Labels_AllAreAskedFor(string labels, bool admits)
    {
        LabelSelector.TryParse(labels, out LabelSelector? selector, out _).ShouldBeTrue();

        Admits(new PlacementRule { Policy = PlacementRule.Default.Policy, Labels = selector }).ShouldBe(admits);
    }

    [Theory]
    [InlineData("0.2.1", true)]
    [InlineData("0.2", true)]
    [InlineData("0.10.0", false)]
    public void Admits_Version_IsComparedAsNumbers(string least, bool admits) =>
        Admits(new PlacementRule { Policy = PlacementRule.Default.Policy, MinVersion = Version.Parse(least) }).ShouldBe(admits);

    [Fact]
    public void Admits_UnreadableVersion_IsNotNewEnough() =>
        new PlacementRule { Policy = PlacementRule.Default.Policy, MinVersion = new(0, 1) }
            .Admits(new WorkerView(Report with { Program = "newest" }, TimeSpan.Zero)).ShouldBeFalse();

    [Fact]
    public void And_TwoSelectors_AsksForBoth()
    {
        LabelSelector.TryParse("gpu=a100", out LabelSelector? one, out _).ShouldBeTrue();
        LabelSelector.TryParse("site=paris", out LabelSelector? other, out _).ShouldBeTrue();

        one.And(other).ToString().ShouldBe("gpu=a100, site=paris");
        one.And(LabelSelector.None).ShouldBeSameAs(one);
        LabelSelector.None.And(one).ShouldBeSameAs(one);
    }

    [Theory]
    [InlineData(new double[] { }, null)]
    [InlineData(new[] { 10.0, 20, 90 }, 20.0)]
    public void Usual_KnownSpeeds_IsTheirMedian(double[] speeds, double? usual) =>
        PaceScale.Usual([null, .. speeds.Select(speed => (double?)speed), null]).ShouldBe(usual);

    [Theory]
    [InlineData(40.0, 0)]
    [InlineData(55.0, 0)]
    [InlineData(58.0, 1)]
    [InlineData(80.0, 1)]
    [InlineData(99_999.0, PaceScale.Fastest)]
    [InlineData(22.0, -1)]
    [InlineData(0.1, PaceScale.Slowest)]
    [InlineData(null, 0)]
    public void Of_Speed_IsTheNearestDoubling(double? speed, int pace) => PaceScale.Of(speed, 40).ShouldBe(pace);

    [Theory]
    [InlineData(-1.0)]
    [InlineData(0.0)]
    [InlineData(1e9)]
    [InlineData(double.NaN)]
    public void Known_AbsurdSpeed_IsNone(double speed) => PaceScale.Known(speed).ShouldBeNull();

    private static bool Admits(PlacementRule rule) => rule.Admits(new WorkerView(Report, TimeSpan.Zero));
}

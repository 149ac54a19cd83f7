using OllamaMax.Cluster;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Workers;

public sealed class WorkerLabelsTests
{
    private static readonly WorkerReport Report = WorkerReports.Idle();

    [Fact]
    public void TryParse_KeyAndValue_AreBothReadWithoutSpace()
    {
        WorkerLabels.TryParse(" gpu = a100-80g ", out KeyValuePair<string, string> label, out _).ShouldBeTrue();

        label.ShouldBe(new("gpu", "a100-80g"));
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("=a100")]
    [InlineData("gpu=")]
    [InlineData("gpu=a 100")]
    [InlineData("gpü=a100")]
    [InlineData("gpu=a=b")]
    public void TryParse_NoLabel_SaysHowItIsWritten(string text)
    {
        WorkerLabels.TryParse(text, out _, out string? error).ShouldBeFalse();

        error.ShouldContain("key=value");
    }

    [Fact]
    public void Labels_OfAWorker_HaveItsSiteWhateverTheCase()
    {
        IReadOnlyDictionary<string, string> labels = View(Report with { Site = "berlin", Labels = new Dictionary<string, string> { ["gpu"] = "a100" } }).Labels;

        labels.Count.ShouldBe(2);
        labels["GPU"].ShouldBe("a100");
        labels["site"].ShouldBe("berlin");
    }

    [Fact]
    public void Labels_BeyondTheBounds_AreNotHeeded()
    {
        var many = Enumerable.Range(0, WorkerLabels.Most + 1).ToDictionary(i => $"k{i}", _ => "v");
        var longValue = new Dictionary<string, string> { ["gpu"] = new('a', WorkerLabels.Longest + 1) };
        var missing = new Dictionary<string, string> { ["gpu"] = null! };
        // Its site is said in one place, which its operator sees.
        var site = new Dictionary<string, string> { ["site"] = "paris" };

        foreach (Dictionary<string, string> labels in new[] { many, longValue, missing, site })
            View(Report with { Site = "berlin", Labels = labels }).Labels.ShouldHaveSingleItem().ShouldBe(new("site", "berlin"));
        View(Report with { Site = "room 4, under the desk" }).Labels.ShouldBeEmpty();
    }

    [Fact]
    public void HasMemoryFor_LyingFigures_DoNotThrow()
    {
        WorkerDevice card = new(0, "card", "CUDA", VramTotal: long.MaxValue, VramFree: 0);

        (Report with { MemoryTotal = long.MaxValue, Devices = [card, card] }).HasMemoryFor(long.MaxValue).ShouldBeTrue();
    }

    private static WorkerView View(WorkerReport report) => new(report, TimeSpan.Zero);
}

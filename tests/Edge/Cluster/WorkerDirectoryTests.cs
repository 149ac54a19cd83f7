using System.Collections.Frozen;
using System.Globalization;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Placement;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Tests.Cluster;

/// <summary>Whom jobs may go to; who of these is chosen is the policies' affair.</summary>
public sealed class WorkerDirectoryTests
{
    private const string Model = "sha256:a";

    private static readonly WorkerReport Report = WorkerReports.Idle() with { Program = "0.1.0", SlotsTotal = 2, Models = [new(Model, Loaded: true)] };

    private static readonly PlacementRule Berlin = new() { Policy = PlacementRule.Default.Policy, Labels = Labels("site=berlin") };

    private readonly WorkerDirectory _directory = new();

    [Fact]
    public void Choose_RuleWithLabels_OnlyWhoHasThem()
    {
        See(Report with { Id = "w1", Site = "paris" }, Report with { Id = "w2", Site = "Berlin" });

        Choose(Berlin).ShouldBe("w2");
        Choose(Berlin, "w2").ShouldBeNull();
        _directory.Slots(Model, Berlin).ShouldBe(2);
        _directory.Slots(Model, PlacementRule.Default).ShouldBe(4);
        _directory.ToNudge(Model, Berlin, 8, TimeSpan.Zero).ShouldBe(["w2"]);
    }

    [Fact]
    public void MayRun_RuleWithLabels_NotWhoIsNotListed()
    {
        See(Report with { Id = "w1" }, Report with { Id = "w2", Site = "berlin" });
        _directory.AddInFlight("w3", 0);

        _directory.MayRun("w1", Berlin).ShouldBeFalse();
        _directory.MayRun("w2", Berlin).ShouldBeTrue();
        _directory.MayRun("w3", Berlin).ShouldBeFalse();
        _directory.MayRun("w3", PlacementRule.Default).ShouldBeTrue();
    }

    [Fact]
    public void Choose_OwnJobsInFlight_CountAtOnce()
    {
        See(Report);
        Choose().ShouldBe("w1");

        _directory.AddInFlight("w1", +1);
        _directory.AddInFlight("w1", +1);
        Choose().ShouldBeNull();

        _directory.AddInFlight("w1", -1);
        Choose().ShouldBe("w1");
    }

    [Fact]
    public void Choose_LoadThatIsOld_IsNotBelievedAnyMore()
    {
        See(Report);
        TimeSpan said = TimeSpan.FromSeconds(1);
        _directory.Heard(new WorkerMessage { Version = ProtocolVersion.Current, WorkerId = "w1", Steps = 1, SlotsUsed = 2, SlotsTotal = 2 }, said);

        TimeSpan[] times = [said, said + TimeSpan.FromSeconds(4.9), said + TimeSpan.FromSeconds(5.1)];
        times.Select(now => _directory.Choose(Model, new JobPlacement(PlacementRule.Default, default), FrozenSet<string>.Empty, now)).ShouldBe([null, null, "w1"]);
    }

    [Fact]
    public void Choose_Suspect_IsNotAskedUntilItIsHeard()
    {
        See(Report);
        _directory.Suspect("w1", TimeSpan.Zero);
        Choose().ShouldBeNull();
        _directory.ToNudge(Model, PlacementRule.Default, 8, TimeSpan.Zero).ShouldBe(["w1"]);

        _directory.Heard(new WorkerMessage { Version = ProtocolVersion.Current, WorkerId = "w1", Steps = 1, SlotsUsed = 1, SlotsTotal = 2 }, TimeSpan.Zero);

        Choose().ShouldBe("w1");
    }

    [Fact]
    public void Choose_DrainingGoneHangingOrOfAnotherProtocol_IsNotAsked()
    {
        See(
            Report with { Id = "w1", Draining = true },
            Report with { Id = "w2", Left = true },
            Report with { Id = "w3", Version = ProtocolVersion.Current + 2 },
            Report with { Id = "w4", Models = [new(Model, Loaded: true) { Hangs = true }] });

        Choose().ShouldBeNull();
    }

    [Fact]
    public void Choose_ModelTooLargeForSome_TheyAreAskedWhereNobodyHasMore()
    {
        PlacementRule large = new() { Policy = PlacementRule.Default.Policy, ModelBytes = 1000 };
        WorkerReport small = Report with { Id = "w1", MemoryTotal = 500, Models = [] };

        See(small, Report with { Id = "w2", MemoryTotal = 2000, Models = [] });
        Choose(large).ShouldBe("w2");
        Choose(large, "w2").ShouldBeNull();

        See(small);
        Choose(large).ShouldBe("w1");
    }

    [Fact]
    public void Choose_NoDiskForACopy_IsAskedOnlyWhereItHasOneOrNobodyHasMore()
    {
        PlacementRule large = new() { Policy = PlacementRule.Default.Policy, ModelBytes = 1000 };
        WorkerReport full = Report with { Id = "w1", Models = [], DiskRoom = 100, DiskEvictable = 800 };

        See(full, Report with { Id = "w2", Models = [], DiskRoom = 100, DiskEvictable = 900 });
        Choose(large).ShouldBe("w2");
        Choose(large, "w2").ShouldBeNull();

        See(full with { Models = [new(Model, Loaded: false)] }, Report with { Id = "w2", Models = [] });
        Choose(large).ShouldBe("w1");
    }

    [Fact]
    public void Choose_ReportWithAbsurdSlots_IsNotBelieved()
    {
        See(Report with { Id = "w1", SlotsTotal = int.MaxValue, SlotsUsed = int.MinValue }, Report with { Id = "w2", SlotsTotal = -1 });

        Choose().ShouldBe("w1");
        _directory.AllSlots(TimeSpan.Zero).ShouldBe((0, 4096));
    }

    [Fact]
    public void Choose_AmongAThousand_AllocatesNothing()
    {
        See([.. Enumerable.Range(0, 1000).Select(i => Report with { Id = i.ToString(CultureInfo.InvariantCulture) })]);
        JobPlacement[] jobs = [.. Enumerable.Range(0, 50).Select(i => new JobPlacement(PlacementRule.Default, new((ulong)i, (ulong)i)))];

        // What the runtime allocates once, when it compiles a method better, is none of it.
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (JobPlacement job in jobs)
                _directory.Choose(Model, job, FrozenSet<string>.Empty, TimeSpan.Zero);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        least.ShouldBe(0);
    }

    private static LabelSelector Labels(string text) => LabelSelector.TryParse(text, out LabelSelector? labels, out string? error) ? labels : throw new FormatException(error);

    private void See(params WorkerReport[] reports) => _directory.Update([.. reports.Select(report => new WorkerView(report, TimeSpan.Zero))], TimeSpan.Zero);

    private string? Choose(PlacementRule? rule = null, params string[] excluded) =>
        _directory.Choose(Model, new JobPlacement(rule ?? PlacementRule.Default, default), excluded.ToHashSet(), TimeSpan.Zero);
}

using OllamaMax.Cluster;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Cluster;

public sealed class ReportBoundsTests
{
    private static readonly WorkerReport Honest = Views.Report("w1") with
    {
        Models = [new("sha256:x", Loaded: true, ContextLength: 4096, Bytes: 1 << 30) { TokensPerSecond = 80, ExpiresIn = 300 }],
        Devices = [new(0, "card", "CUDA", VramTotal: 24L << 30, VramFree: 1L << 30), new(1, "cpu", "CPU", VramTotal: 0, VramFree: 7L << 30)],
        MemoryTotal = 64L << 30,
        MemoryFree = 1L << 30,
        TokensPerSecond = 1200,
    };

    [Fact]
    public void Check_HonestReport_IsWithoutFlags()
    {
        var (report, flags) = ReportBounds.Check(Honest);

        flags.ShouldBeEmpty();
        report.ShouldBeSameAs(Honest);
    }

    [Fact]
    public void Check_Slots_AreBroughtBack()
    {
        Bounded(Honest with { SlotsTotal = int.MaxValue }, WorkerFlags.Slots).SlotsTotal.ShouldBe(ReportBounds.MostSlots);
        Bounded(Honest with { SlotsTotal = -5 }, WorkerFlags.Slots).SlotsTotal.ShouldBe(0);
        Bounded(Honest with { SlotsUsed = -1 }, WorkerFlags.Slots).SlotsUsed.ShouldBe(0);
    }

    [Fact]
    public void Check_Memory_IsBroughtBack()
    {
        Bounded(Honest with { MemoryTotal = long.MaxValue }, WorkerFlags.Memory).MemoryTotal.ShouldBe(ReportBounds.MostMemory);
        Bounded(Honest with { Devices = [new(0, "card", "CUDA", long.MaxValue, long.MaxValue)] }, WorkerFlags.Memory).Devices[0].VramTotal.ShouldBe(ReportBounds.MostMemory);
        Bounded(Honest with { Models = [new("sha256:x", Loaded: true, Bytes: -1)] }, WorkerFlags.Memory).Models[0].Bytes.ShouldBe(0);
    }

    [Fact]
    public void Check_Copies_AreBroughtBack()
    {
        Bounded(Honest with { DiskRoom = -1, DiskEvictable = long.MaxValue }, WorkerFlags.Memory).ShouldSatisfyAllConditions(
            report => report.DiskRoom.ShouldBe(0), report => report.DiskEvictable.ShouldBe(ReportBounds.MostDisk));
        Bounded(Honest with { Transfers = [new("sha256:x", -1, 100, 1)] }, WorkerFlags.Memory).Transfers!.Single().ShouldBe(new("sha256:x", 0, 100, 1));
        Bounded(Honest with { Transfers = [null!] }, WorkerFlags.Shape).Transfers.ShouldBeEmpty();
        Bounded(Honest with { Transfers = [new("sha256:x", 1, 100, 1) { Error = new string('x', 5000) }] }, WorkerFlags.Shape).Transfers!.Single().Error!.Length.ShouldBe(200);
    }

    [Theory]
    [InlineData(1e12, ReportBounds.MostTokensPerSecond)]
    [InlineData(double.NaN, 0)]
    [InlineData(-3, 0)]
    public void Check_Speed_IsBroughtBack(double said, double believed)
    {
        Bounded(Honest with { TokensPerSecond = said }, WorkerFlags.Speed).TokensPerSecond.ShouldBe(believed);
        Bounded(Honest with { Models = [Honest.Models[0] with { TokensPerSecond = said }] }, WorkerFlags.Speed).Models[0].TokensPerSecond.ShouldBe(believed);
    }

    /// <summary>A worker that says it reports once in a million years would be alive for as long.</summary>
    [Theory]
    [InlineData(1e300)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Check_Interval_LetsSilenceBeNoticed(double seconds)
    {
        WorkerReport report = Bounded(Honest with { IntervalSeconds = seconds }, WorkerFlags.Interval);

        new WorkerView(report, TimeSpan.FromHours(1)).State.ShouldBe(WorkerState.Gone);
    }

    [Fact]
    public void Check_MissingOrEndless_IsCutAndFlagged()
    {
        Bounded(Honest with { Models = null! }, WorkerFlags.Shape).Models.ShouldBeEmpty();
        Bounded(Honest with { Devices = [null!] }, WorkerFlags.Shape).Devices.ShouldBeEmpty();
        Bounded(Honest with { Name = null! }, WorkerFlags.Shape).Name.ShouldBe("");
        Bounded(Honest with { Host = new string('x', 5000) }, WorkerFlags.Shape).Host.Length.ShouldBe(200);
    }

    [Fact]
    public void FlagNames_TwoOfOneName_AreBothFlaggedUnlessOneIsGone()
    {
        WorkerView one = Views.Of("w1", TimeSpan.Zero);
        WorkerView other = Views.Of("w2", TimeSpan.Zero) with { Report = Views.Report("w2") with { Name = "w1" } };
        WorkerView third = Views.Of("w3", TimeSpan.Zero);

        ReportBounds.FlagNames([one, other, third]).Select(worker => worker.Flags.Count).ShouldBe([1, 1, 0]);
        ReportBounds.FlagNames([one with { Age = TimeSpan.FromHours(1) }, other, third]).ShouldAllBe(worker => worker.Flags.Count == 0);
    }

    private static WorkerReport Bounded(WorkerReport report, string flag)
    {
        var (bounded, flags) = ReportBounds.Check(report);
        flags.ShouldBe([flag]);
        return bounded;
    }
}

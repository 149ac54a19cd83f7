using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Tests.Cluster;

public sealed class TakenModelsTests
{
    private static readonly ForwardedModel Forwarded = new() { Kind = "ollama", Model = "qwen", Name = "qwen", Capabilities = ["completion"] };

    private static readonly WorkerReport Report = WorkerReports.Idle() with { SlotsUsed = 4 };

    private static ModelView Model => FixedModels.Able with { WeightsSize = 900 };

    [Fact]
    public void CanTake_BusyWorkerWithoutTheModel_CanComeToHoldIt() => CanTake(Report).ShouldBeTrue();

    [Fact]
    public void CanTake_DrainingOrGoneOrOfAnotherProtocol_Cannot()
    {
        CanTake(Report with { Draining = true }).ShouldBeFalse();
        CanTake(Report with { Left = true }).ShouldBeFalse();
        CanTake(Report with { Version = ProtocolVersion.Current + 2 }).ShouldBeFalse();
        TakenModels.CanTake(new(Report, TimeSpan.FromMinutes(1)), Model).ShouldBeFalse();
    }

    [Fact]
    public void CanTake_MoreThanAllMemory_Cannot()
    {
        WorkerDevice card = new(0, "card", "CUDA", VramTotal: 400, VramFree: 0);

        CanTake(Report with { MemoryTotal = 500 }).ShouldBeFalse();
        CanTake(Report with { MemoryTotal = 500, Devices = [card] }).ShouldBeTrue();
    }

    [Fact]
    public void CanTake_ModelHangsThere_Cannot() =>
        CanTake(Report with { Models = [new(Model.Weights, Loaded: true) { Hangs = true }] }).ShouldBeFalse();

    [Fact]
    public void CanTake_ForwardedModel_OnlyWhoForwardsToIt()
    {
        ModelView model = Forwarded.ToView(ModelName.Parse("qwen"));

        TakenModels.CanTake(new(Report, TimeSpan.Zero), model).ShouldBeFalse();
        TakenModels.CanTake(new(Report, TimeSpan.Zero) { Forwarded = [Forwarded] }, model).ShouldBeTrue();
    }

    private static bool CanTake(WorkerReport report) => TakenModels.CanTake(new(report, TimeSpan.Zero), Model);
}

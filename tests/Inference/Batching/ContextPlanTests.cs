using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class ContextPlanTests
{
    private static readonly ModelShape s_shape = GgufCheck.Check(TestModels.File(TestModels.Tiny));

    [Fact]
    public void Check_OfAGeneratedModel_ReadsItsShape()
    {
        s_shape.Architecture.ShouldBe("llama");
        (s_shape.Layers, s_shape.TrainedContext).ShouldBe((2, 512));
        // Two layers of two heads of 16 numbers.
        (s_shape.KeyWidth, s_shape.ValueWidth).ShouldBe((64, 64));
        (s_shape.IsGenerator, s_shape.IsRecurrent).ShouldBe((true, false));
        s_shape.Pooling.ShouldBe(Pooling.Last);
        s_shape.FileBytes.ShouldBe(new FileInfo(TestModels.File(TestModels.Tiny)).Length);
    }

    [Fact]
    public void Check_OfABert_SaysThatItEmbeds()
    {
        ModelShape shape = GgufCheck.Check(TestModels.File(new GgufSpec { Architecture = GgufArchitecture.Bert, Vocabulary = GgufVocabularyKind.WordPiece }));

        shape.IsGenerator.ShouldBeFalse();
        shape.Pooling.ShouldBe(Pooling.Mean);
    }

    [Theory]
    [InlineData(CacheType.F32, 512)]
    [InlineData(CacheType.F16, 256)]
    [InlineData(CacheType.Q8, 136)]
    [InlineData(CacheType.Q4, 72)]
    public void CacheBytesPerToken_OfEachType_AreItsBlocks(CacheType type, long bytes) => s_shape.CacheBytesPerToken(type, type).ShouldBe(bytes);

    [Fact]
    public void Of_NoBound_FillsEverySlot() =>
        ContextPlan.Of(new EngineOptions { Slots = 3, ContextPerSlot = 400 }, s_shape).ShouldBe(new ContextPlan(400, 1200, 1200 * 256));

    [Fact]
    public void Of_MoreThanTheModelWasTrainedWith_IsThat() =>
        ContextPlan.Of(new EngineOptions { Slots = 1, ContextPerSlot = 4096 }, s_shape).PerSlot.ShouldBe(512);

    [Fact]
    public void Of_LessMemory_SharesIt()
    {
        EngineOptions options = new() { Slots = 4, ContextPerSlot = 512, MemoryBytes = s_shape.FileBytes + (1000 * 256) };

        ContextPlan.Of(options, s_shape).ShouldBe(new ContextPlan(512, 1000, 1000 * 256));
        ContextPlan.Of(options with { MemoryBytes = s_shape.FileBytes + (300 * 256) }, s_shape).ShouldBe(new ContextPlan(300, 300, 300 * 256));
    }

    [Fact]
    public async Task LoadAsync_DoesNotFit_SaysWhatIsMissing()
    {
        ModelLoadException error = await Should.ThrowAsync<ModelLoadException>(
            () => EngineFixture.LoadAsync(options: EngineFixture.Exact with { MemoryBytes = 1000 }));

        error.Message.ShouldContain("does not fit");
        error.Message.ShouldContain("1000 bytes");
    }

    [Fact]
    public void List_Here_HasTheProcessorAndItsMemory()
    {
        InferenceDevice cpu = InferenceDevices.List(NativeKind.Default, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance)
            .First(static device => device.Kind == DeviceKind.Cpu);

        cpu.TotalBytes.ShouldBeGreaterThan(1L << 28);
        cpu.FreeBytes.ShouldBeInRange(0, cpu.TotalBytes);
        cpu.Name.ShouldNotBeEmpty();
        cpu.Backend.ShouldBe("CPU");
    }

    [Theory]
    [InlineData(0, -1)] // It does not tell.
    [InlineData(100, -1)]
    [InlineData(21, 20)]
    [InlineData(1, 0)]
    public void Layers_OfAGpu_AreWhatItHasRoomFor(long gigabytes, int layers)
    {
        // 31 layers and the output, a gigabyte each with their context, and half a gigabyte that stays free.
        ModelShape shape = s_shape with { Layers = 31, FileBytes = 24L << 30 };
        InferenceDevice gpu = new("GPU0", "CUDA", "a card", DeviceKind.Gpu, gigabytes << 30, gigabytes << 30);
        InferenceDevice cpu = new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1L << 40, 1L << 40);

        GpuFit.Layers(shape, contextBytes: 8L << 30, [cpu, gpu]).ShouldBe(layers);
    }

    [Fact]
    public void Layers_WithoutAGpu_AreAll() => GpuFit.Layers(s_shape, 1L << 40, [new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1, 1)]).ShouldBe(-1);
}

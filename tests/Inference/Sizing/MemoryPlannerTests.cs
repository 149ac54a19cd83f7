using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Sizing;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Sizing;

public sealed class MemoryPlannerTests
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
    public void Of_NoBound_FillsEverySlot()
    {
        MemoryPlan plan = MemoryPlanner.Of(s_shape, new EngineOptions { Slots = 3, ContextPerSlot = 400 }, []);

        (plan.Slots, plan.ContextPerSlot, plan.TotalContext, plan.GpuLayers).ShouldBe((3, 400, 1200, -1));
        (plan.WeightBytes, plan.CacheBytes, plan.VramBytes).ShouldBe((s_shape.FileBytes, 1200 * 256, 0));
        plan.Bytes.ShouldBe(plan.WeightBytes + plan.CacheBytes + plan.ComputeBytes);
    }

    [Fact]
    public void Of_MoreThanTheModelWasTrainedWith_IsThat() =>
        MemoryPlanner.Of(s_shape, new EngineOptions { Slots = 1, ContextPerSlot = 4096 }, []).ContextPerSlot.ShouldBe(512);

    [Fact]
    public void Of_LessMemoryThanTheSlotsAskedFor_CutsTheContext()
    {
        EngineOptions options = new() { Slots = 4, ContextPerSlot = 512 };
        long whole = MemoryPlanner.Of(s_shape, options, []).Bytes;
        long half = whole - (1024 * 256);

        MemoryPlan plan = MemoryPlanner.Of(s_shape, options with { MemoryBytes = half }, []);

        plan.Slots.ShouldBe(4);
        plan.TotalContext.ShouldBeInRange(1024, 2047);
        plan.ContextPerSlot.ShouldBe(512);
        plan.Bytes.ShouldBeInRange(half - 10_000, half);
    }

    [Fact]
    public void Of_NoSlotsAskedFor_IsAsManyAsFitAtTheWholeContext()
    {
        EngineOptions options = new() { ContextPerSlot = 512 };
        long three = MemoryPlanner.Of(s_shape, options with { Slots = 3 }, []).Bytes;

        MemoryPlan plan = MemoryPlanner.Of(s_shape, options with { MemoryBytes = three }, []);

        (plan.Slots, plan.ContextPerSlot, plan.TotalContext).ShouldBe((3, 512, 1536));
        MemoryPlanner.Of(s_shape, options with { MemoryBytes = three - 1 }, []).Slots.ShouldBe(2);
        MemoryPlanner.Of(s_shape, options, []).Slots.ShouldBe(EngineOptions.MostSlots);
    }

    [Fact]
    public void Of_NoSlotsAskedFor_IsBoundByWhatIsFreeNow()
    {
        EngineOptions options = new() { ContextPerSlot = 512 };
        long three = MemoryPlanner.Of(s_shape, options with { Slots = 3 }, []).Bytes;

        MemoryPlanner.Of(s_shape, options, [Cpu(three)]).Slots.ShouldBe(3);
        // One is always tried: what the system counts as used may be had all the same.
        MemoryPlanner.Of(s_shape, options, [Cpu(1000)]).Slots.ShouldBe(1);
    }

    [Fact]
    public void Of_NotEvenOneAtTheWholeContext_IsOneAtLess()
    {
        EngineOptions options = new() { ContextPerSlot = 512 };
        long one = MemoryPlanner.Of(s_shape, options with { Slots = 1 }, []).Bytes;

        MemoryPlan plan = MemoryPlanner.Of(s_shape, options with { MemoryBytes = one - (100 * 256) }, []);

        plan.Slots.ShouldBe(1);
        plan.ContextPerSlot.ShouldBe(plan.TotalContext);
        plan.TotalContext.ShouldBeInRange(400, 511);
    }

    [Fact]
    public void Of_NotEvenTheLeastContext_SaysWhatWouldDo()
    {
        EngineOptions options = new() { Slots = 4, ContextPerSlot = 512 };
        long least = MemoryPlanner.Of(s_shape, options, []).LeastBytes;

        ModelLoadException error = Should.Throw<ModelLoadException>(() => MemoryPlanner.Of(s_shape, options with { MemoryBytes = least - 1 }, []));

        error.Message.ShouldStartWith("does not fit: with 256 tokens of context and 4 slots it needs ");
        error.Message.ShouldEndWith($"there are {least - 1} bytes; {least} bytes would do for one slot");
        MemoryPlanner.Of(s_shape, options with { Slots = 1, MemoryBytes = least }, []).TotalContext.ShouldBe(256);
    }

    [Fact]
    public void Of_SlotsThatWouldPushALayerOffTheGpu_AreNotAdded()
    {
        // 31 layers and the output in 24 GB, and 2 GB of context for each slot.
        ModelShape shape = s_shape with { Layers = 31, FileBytes = 24L << 30, KeyWidth = 1L << 17, ValueWidth = 1L << 17, TrainedContext = 4096 };
        EngineOptions options = new() { ContextPerSlot = 4096 };

        MemoryPlan plan = MemoryPlanner.Of(shape, options, [Cpu(1L << 40), Gpu(31)]);

        plan.GpuLayers.ShouldBe(-1);
        plan.Slots.ShouldBe(3);
        plan.VramBytes.ShouldBe(plan.Bytes);
        // It does not fit whole, even with one: no slot takes a layer's place.
        MemoryPlan partly = MemoryPlanner.Of(shape, options, [Cpu(1L << 40), Gpu(20)]);
        partly.Slots.ShouldBe(1);
        partly.GpuLayers.ShouldBeInRange(20, 24);
        partly.VramBytes.ShouldBeInRange(15L << 30, 20L << 30);
    }

    /// <summary>It and the CPU tell of the same memory.</summary>
    [Fact]
    public void Of_AGpuInTheProcessor_SharesTheMachinesMemory()
    {
        ModelShape shape = s_shape with { Layers = 31, FileBytes = 8L << 30, KeyWidth = 1L << 17, ValueWidth = 1L << 17, TrainedContext = 4096 };
        InferenceDevice metal = Gpu(24) with { Kind = DeviceKind.IntegratedGpu };

        MemoryPlan plan = MemoryPlanner.Of(shape, new EngineOptions { ContextPerSlot = 4096 }, [Cpu(15L << 30), metal]);

        // 2 GB of context for each slot.
        plan.Slots.ShouldBe(3);
        (plan.GpuLayers, plan.VramBytes).ShouldBe((-1, plan.Bytes));
    }

    [Fact]
    public void Of_LayersAskedFor_AreThoseInVram()
    {
        EngineOptions options = new() { Slots = 1, ContextPerSlot = 512, GpuLayers = 0 };

        MemoryPlanner.Of(s_shape, options, [Gpu(10)]).VramBytes.ShouldBe(0);
        MemoryPlan one = MemoryPlanner.Of(s_shape, options with { GpuLayers = 1 }, [Gpu(10)]);
        one.VramBytes.ShouldBe(((one.WeightBytes + one.CacheBytes) / 3) + one.ComputeBytes);
    }

    [Fact]
    public void Of_AModelWithAState_TakesItForEachSlot()
    {
        ModelShape shape = s_shape with { KeyWidth = 0, ValueWidth = 0, IsRecurrent = true, StateBytes = 1000 };

        MemoryPlanner.Of(shape, new EngineOptions { Slots = 3, ContextPerSlot = 400 }, []).CacheBytes.ShouldBe(3000);
    }

    [Fact]
    public async Task LoadAsync_DoesNotFit_SaysWhatIsMissing()
    {
        ModelLoadException error = await Should.ThrowAsync<ModelLoadException>(
            () => EngineFixture.LoadAsync(options: EngineFixture.Exact with { MemoryBytes = 1000 }));

        error.Message.ShouldStartWith(TestModels.File(TestModels.Tiny));
        error.Message.ShouldContain("does not fit");
        error.Message.ShouldContain("there are 1000 bytes");
    }

    [Fact]
    public void Of_OnACpuWithRoom_HasAStageBesideTheSlots()
    {
        EngineOptions options = new() { Slots = 3, ContextPerSlot = 400, Native = NativeKind.LlamaCpp, PrefixBytes = 0 };
        MemoryPlan without = MemoryPlanner.Of(s_shape, options, []);

        MemoryPlan plan = MemoryPlanner.Of(s_shape, options, [Cpu(1L << 40)]);

        (without.StageContext, plan.StageContext, plan.TotalContext).ShouldBe((0, 400, 1200));
        (plan.CacheBytes - without.CacheBytes).ShouldBe(400 * 256);
        plan.ComputeBytes.ShouldBeGreaterThan(without.ComputeBytes);
        // It is the first to be left out.
        MemoryPlanner.Of(s_shape, options with { MemoryBytes = plan.Bytes }, [Cpu(1L << 40)]).ShouldBe(plan);
        MemoryPlanner.Of(s_shape, options with { MemoryBytes = plan.Bytes - 1 }, [Cpu(1L << 40)]).ShouldBe(without with { UsesGpu = false });
        MemoryPlanner.Of(s_shape, options, [Cpu(plan.Bytes - 1)]).ShouldBe(without with { UsesGpu = false });
    }

    [Fact]
    public void Of_WithRoomInTheMachine_HasUpToHalfOfThatForPrefixes()
    {
        EngineOptions options = new() { Slots = 3, ContextPerSlot = 400, Native = NativeKind.LlamaCpp, PrefixBytes = 1_000_000 };
        MemoryPlan plan = MemoryPlanner.Of(s_shape, options, [Cpu(1L << 40)]);

        plan.PrefixBytes.ShouldBe(1_000_000);
        plan.Bytes.ShouldBe(MemoryPlanner.Of(s_shape, options with { PrefixBytes = 0 }, [Cpu(1L << 40)]).Bytes);
        MemoryPlanner.Of(s_shape, options, [Cpu(plan.Bytes + 600_000)]).PrefixBytes.ShouldBe(300_000);
        MemoryPlanner.Of(s_shape, options, [Cpu(1)]).PrefixBytes.ShouldBe(0);
    }

    [Fact]
    public void Of_WherePrefixesAreNotCopied_HasNoneForThem()
    {
        EngineOptions options = new() { Slots = 3, ContextPerSlot = 400, Native = NativeKind.LlamaCpp };
        InferenceDevice[] cpu = [Cpu(1L << 40)];

        MemoryPlanner.Of(s_shape, options, cpu).PrefixBytes.ShouldBe(options.PrefixBytes);
        MemoryPlanner.Of(s_shape with { IsRecurrent = true }, options, cpu).PrefixBytes.ShouldBe(0);
        MemoryPlanner.Of(s_shape with { SlidingWindow = 32 }, options, cpu).PrefixBytes.ShouldBe(0);
        MemoryPlanner.Of(s_shape, options with { CachedPrompts = 0 }, cpu).PrefixBytes.ShouldBe(0);
        MemoryPlanner.Of(s_shape, options, [.. cpu, Gpu(24)]).PrefixBytes.ShouldBe(0);
        // It does not tell whether there is a GPU.
        MemoryPlanner.Of(s_shape, options with { Native = NativeKind.LLamaSharp }, cpu).PrefixBytes.ShouldBe(0);
        MemoryPlanner.Of(s_shape, options with { Native = NativeKind.LLamaSharp, GpuLayers = 0 }, cpu).PrefixBytes.ShouldBe(options.PrefixBytes);
    }

    [Fact]
    public void Of_WhereNoStageIsOfUse_HasNone()
    {
        EngineOptions options = new() { Slots = 3, ContextPerSlot = 400, Native = NativeKind.LlamaCpp };
        InferenceDevice[] cpu = [Cpu(1L << 40)];

        MemoryPlanner.Of(s_shape, options, [.. cpu, Gpu(24)]).StageContext.ShouldBe(0);
        MemoryPlanner.Of(s_shape, options with { GpuLayers = 0 }, [.. cpu, Gpu(24)]).StageContext.ShouldBe(400);
        MemoryPlanner.Of(s_shape, options with { GpuLayers = 0, Native = NativeKind.LLamaSharp }, cpu).StageContext.ShouldBe(0);
        MemoryPlanner.Of(s_shape, options with { Slots = 1 }, cpu).StageContext.ShouldBe(0);
        MemoryPlanner.Of(s_shape with { IsRecurrent = true }, options, cpu).StageContext.ShouldBe(0);
        MemoryPlanner.Of(s_shape with { SlidingWindow = 64 }, options, cpu).StageContext.ShouldBe(0);
    }

    [Fact]
    public async Task LoadAsync_NoSlotsAskedFor_RunsAsManyAsFit()
    {
        EngineOptions options = EngineFixture.Exact with { Slots = null };
        // On no device in particular: without a stage.
        long two = MemoryPlanner.Of(s_shape, options with { Slots = 2, GpuLayers = null }, []).Bytes;

        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: options with { MemoryBytes = two });

        loaded.Engine.Slots.ShouldBe(2);
        (loaded.MemoryBytes, loaded.VramBytes).ShouldBe((two, 0));
        (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello"))).End.Error.ShouldBeNull();
    }

    private static InferenceDevice Cpu(long free) => new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1L << 40, free);

    private static InferenceDevice Gpu(long gigabytes) => new("GPU0", "CUDA", "a card", DeviceKind.Gpu, gigabytes << 30, gigabytes << 30);
}

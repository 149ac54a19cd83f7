using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Devices;

public sealed class DeviceTests
{
    [Fact]
    public void List_Here_HasTheProcessorAndTheMachinesMemory()
    {
        InferenceDevice cpu = InferenceDevices.List(NativeKind.Default, NullLoggerFactory.Instance)
            .First(static device => device.Kind == DeviceKind.Cpu);

        cpu.TotalBytes.ShouldBe(HostMemory.Total);
        cpu.FreeBytes.ShouldBeInRange(1, cpu.TotalBytes);
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
        ModelShape shape = GgufCheck.Check(TestModels.File(TestModels.Tiny)) with { Layers = 31, FileBytes = 24L << 30 };
        InferenceDevice gpu = new("GPU0", "CUDA", "a card", DeviceKind.Gpu, gigabytes << 30, gigabytes << 30);
        InferenceDevice cpu = new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1L << 40, 1L << 40);

        GpuFit.Layers(shape, contextBytes: 8L << 30, computeBytes: 256L << 20, [cpu, gpu]).ShouldBe(layers);
    }

    [Theory]
    [InlineData(1, "MTL", Architecture.Arm64, DeviceKind.IntegratedGpu)]
    [InlineData(1, "Metal", Architecture.Arm64, DeviceKind.IntegratedGpu)]
    [InlineData(1, "Metal", Architecture.X64, DeviceKind.Gpu)]
    [InlineData(1, "CUDA", Architecture.Arm64, DeviceKind.Gpu)]
    [InlineData(2, "Vulkan", Architecture.X64, DeviceKind.IntegratedGpu)]
    public void KindOf_AGpu_IsByWhoseMemoryItHas(int type, string backend, Architecture processor, DeviceKind kind) =>
        InferenceDevices.KindOf(type, backend, processor).ShouldBe(kind);

    [Fact]
    public void Layers_OfAGpuInTheProcessor_AreWhatItMayTakeUnlessThereIsAnother()
    {
        ModelShape shape = GgufCheck.Check(TestModels.File(TestModels.Tiny)) with { Layers = 31, FileBytes = 24L << 30 };
        InferenceDevice cpu = new("CPU", "CPU", "the machine", DeviceKind.Cpu, 28L << 30, 28L << 30);
        InferenceDevice metal = new("MTL0", "MTL", "Apple M9", DeviceKind.IntegratedGpu, 21L << 30, 21L << 30);
        InferenceDevice card = new("GPU0", "CUDA", "a card", DeviceKind.Gpu, 11L << 30, 11L << 30);

        GpuFit.Layers(shape, contextBytes: 8L << 30, computeBytes: 256L << 20, [metal, cpu]).ShouldBe(20);
        GpuFit.Layers(shape, contextBytes: 8L << 30, computeBytes: 256L << 20, [metal, card, cpu]).ShouldBe(10);
    }

    [Fact]
    public void Layers_WithoutAGpu_AreAll() =>
        GpuFit.Layers(GgufCheck.Check(TestModels.File(TestModels.Tiny)), 1L << 40, 0, [new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1, 1)]).ShouldBe(-1);
}

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

    [Fact]
    public void Layers_WithoutAGpu_AreAll() =>
        GpuFit.Layers(GgufCheck.Check(TestModels.File(TestModels.Tiny)), 1L << 40, 0, [new("CPU", "CPU", "the machine", DeviceKind.Cpu, 1, 1)]).ShouldBe(-1);
}

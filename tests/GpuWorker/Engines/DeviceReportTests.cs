using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Inference.Devices;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Tests.Engines;

/// <summary>What a worker says of its devices, from what a process of its own found.</summary>
public sealed class DeviceReportTests
{
    [Fact]
    public void Report_OfEachKind_TellsMemoryWhereItIsTheDevicesOwn()
    {
        InferenceDevice[] devices =
        [
            new("CUDA0", "CUDA", " NVIDIA H100 ", DeviceKind.Gpu, 80L << 30, 79L << 30),
            new("Vulkan1", "Vulkan", "", DeviceKind.IntegratedGpu, 8L << 30, 7L << 30),
            new("CPU", "CPU", "a processor", DeviceKind.Cpu, 64L << 30, 60L << 30),
        ];

        MachineDevices.Report(devices).ShouldBe(
        [
            new WorkerDevice(0, "NVIDIA H100", "CUDA", 80L << 30, 79L << 30),
            new WorkerDevice(1, "Vulkan1", "Vulkan", 0, 0),
            new WorkerDevice(2, "a processor", "CPU", 0, 0),
        ]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Segmentation fault")]
    [InlineData("[{\"Name\":")]
    public void Read_NoList_IsNull(string text) => DeviceProbe.Read(text).ShouldBeNull();
}

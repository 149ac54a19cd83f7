using Microsoft.Extensions.Options;
using OllamaMax.Inference.Devices;

namespace OllamaMax.GpuWorker.Health;

/// <summary>How much of this box's memory models may take.</summary>
internal sealed class MachineMemory(MachineDevices devices, IOptions<WorkerOptions> options)
{
    /// <summary>The rest is for the system and the work beside the models.</summary>
    private const double ForModels = 0.8;

    /// <summary>Nobody else works there, but a driver keeps some.</summary>
    private const double OfGpus = 0.9;

    /// <summary>What layers go to, as it is while no model is there; none where nothing is known of any.</summary>
    public IReadOnlyList<InferenceDevice> Gpus => [.. InferenceDevices.ForLayers(devices.Current).Select(static gpu => gpu with { FreeBytes = (long)(gpu.TotalBytes * OfGpus) })];

    /// <summary>Bytes for all models together, those of GPUs included.</summary>
    public long Budget => options.Value.Memory
        ?? (long)((HostMemory.Total * ForModels) + (devices.Current.Where(static device => device.Kind == DeviceKind.Gpu).Sum(static device => device.TotalBytes) * OfGpus));
}

namespace OllamaMax.Inference.Devices;

public enum DeviceKind
{
    Cpu,

    /// <summary>With memory of its own.</summary>
    Gpu,

    /// <summary>A GPU in the processor: its memory is as much of the machine's as it may take.</summary>
    IntegratedGpu,

    /// <summary>Helps the CPU, without memory of its own.</summary>
    Accelerator,
}

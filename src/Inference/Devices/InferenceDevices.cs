using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.LlamaCpp;

namespace OllamaMax.Inference.Devices;

/// <summary>What models can be computed on here.</summary>
public static class InferenceDevices
{
    /// <summary>
    /// All devices that llama.cpp sees, with their memory as it is now; the first call loads the library. LLamaSharp does not tell its devices: with it the list has the machine's memory alone.
    /// </summary>
    /// <exception cref="ModelLoadException">The library cannot be used.</exception>
    public static IReadOnlyList<InferenceDevice> List(NativeKind native, ILoggerFactory loggers)
    {
        if (!NativeModels.IsLlamaCpp(native))
            return [Machine()];
        LlamaLibrary.Load(loggers);
        return [.. Enumerable.Range(0, (int)LlamaApi.DeviceCount()).Select(Read)];
    }

    /// <summary>Libraries for GPUs that are there and found none, a sentence each that says why; once <see cref="List"/> has loaded them.</summary>
    public static IReadOnlyList<string> Unused => LlamaLibrary.Unused;

    /// <summary>Of these, the GPUs that a model's layers go to and that tell their memory: one in the processor only where there is no other, as llama.cpp has it.</summary>
    public static IEnumerable<InferenceDevice> ForLayers(IEnumerable<InferenceDevice> devices) => devices
        .Where(static device => device.Kind is DeviceKind.Gpu or DeviceKind.IntegratedGpu && device.TotalBytes > 0)
        .GroupBy(static device => device.Kind)
        .MinBy(static kind => kind.Key) ?? Enumerable.Empty<InferenceDevice>();

    private static unsafe InferenceDevice Read(int index)
    {
        nint device = LlamaApi.Device((nuint)index);
        LlamaApi.DeviceMemory(device, out nuint free, out nuint total);
        string backend = Text(LlamaApi.BackendName(LlamaApi.DeviceBackend(device)));
        DeviceKind kind = KindOf(LlamaApi.DeviceType(device), backend, RuntimeInformation.ProcessArchitecture);
        // Of a CPU the library says that all of it is free.
        bool isMachine = kind == DeviceKind.Cpu;
        return new InferenceDevice(
            Text(LlamaApi.DeviceName(device)), backend, Text(LlamaApi.DeviceDescription(device)),
            kind, isMachine ? HostMemory.Total : (long)total, isMachine ? HostMemory.Free : (long)free);
    }

    private static InferenceDevice Machine() => new("CPU", "CPU", RuntimeInformation.OSDescription, DeviceKind.Cpu, HostMemory.Total, HostMemory.Free);

    private static unsafe string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>Apple's processors have their GPU in them, which ggml does not say: its memory is the part of the machine's that Metal lets models have.</summary>
    /// <param name="type">A value of <c>ggml_backend_dev_type</c>; the one left out, 4, is several GPUs used as one.</param>
    /// <param name="backend">As the library names it, which has called Metal by both names.</param>
    /// <param name="processor">The machine's.</param>
    internal static DeviceKind KindOf(int type, string backend, Architecture processor) => type switch
    {
        0 => DeviceKind.Cpu,
        2 => DeviceKind.IntegratedGpu,
        3 => DeviceKind.Accelerator,
        _ when processor == Architecture.Arm64 && backend is "MTL" or "Metal" => DeviceKind.IntegratedGpu,
        _ => DeviceKind.Gpu,
    };
}

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

    private static unsafe InferenceDevice Read(int index)
    {
        nint device = LlamaApi.Device((nuint)index);
        LlamaApi.DeviceMemory(device, out nuint free, out nuint total);
        DeviceKind kind = Kind(LlamaApi.DeviceType(device));
        // Of a CPU the library says that all of it is free.
        bool isMachine = kind == DeviceKind.Cpu;
        return new InferenceDevice(
            Text(LlamaApi.DeviceName(device)), Text(LlamaApi.BackendName(LlamaApi.DeviceBackend(device))), Text(LlamaApi.DeviceDescription(device)),
            kind, isMachine ? HostMemory.Total : (long)total, isMachine ? HostMemory.Free : (long)free);
    }

    private static InferenceDevice Machine() => new("CPU", "CPU", RuntimeInformation.OSDescription, DeviceKind.Cpu, HostMemory.Total, HostMemory.Free);

    private static unsafe string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>Values of <c>ggml_backend_dev_type</c>; the one left out, 4, is several GPUs used as one.</summary>
    private static DeviceKind Kind(int type) => type switch
    {
        0 => DeviceKind.Cpu,
        2 => DeviceKind.IntegratedGpu,
        3 => DeviceKind.Accelerator,
        _ => DeviceKind.Gpu,
    };
}

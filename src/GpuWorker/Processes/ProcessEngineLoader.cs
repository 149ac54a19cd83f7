using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>Loads each model into a process of its own: the default with a native library that ends its process when something is wrong.</summary>
internal sealed class ProcessEngineLoader(IOptions<WorkerOptions> options, ILoggerFactory loggers, TimeProvider time) : IEngineLoader
{
    private const int LabelLength = 19;

    // As the latest process said; null: unknown, or no more true.
    private volatile IReadOnlyList<InferenceDevice>? _devices;

    public MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus) => EngineSettings.Measure(path, options.Value, gpus);

    public async Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken) =>
        _devices ??= await DeviceProbe.AskAsync(loggers.CreateLogger(typeof(DeviceProbe)), time, cancellationToken);

    public async Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken)
    {
        EngineOptions engine = EngineSettings.For(options.Value, memory);
        string errors = string.Join(" ", engine.Validate());
        if (errors.Length > 0)
            throw new ArgumentException(errors, nameof(path));
        LoadedEngine loaded = await ProcessEngine.LoadAsync(
            new LoadOrder(path, engine), LabelOf(path), progress, devices => _devices = devices, time, loggers.CreateLogger<ProcessEngine>(), cancellationToken);
        _ = ForgetMemoryAsync((ProcessEngine)loaded.Engine);
        return loaded;
    }

    /// <summary>With the process its part of the GPUs' memory is free again, and it can no longer tell.</summary>
    private async Task ForgetMemoryAsync(ProcessEngine engine)
    {
        await engine.Ended;
        if (_devices?.Any(static device => device.Kind == DeviceKind.Gpu) == true)
            _devices = null;
    }

    /// <summary>A file of a replica is named by its whole digest; the log shows as much as people compare.</summary>
    private static string LabelOf(string path)
    {
        string name = Path.GetFileName(path);
        return name.Length <= LabelLength ? name : name[..LabelLength];
    }
}

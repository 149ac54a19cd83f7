using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Loads models into this process: the way of a model's own process, and of a worker that is told to keep them with it.</summary>
internal sealed class LlamaEngineLoader(IOptions<WorkerOptions> options, ILoggerFactory loggers, TimeProvider time) : IEngineLoader
{
    public MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus) => EngineSettings.Measure(path, options.Value, gpus);

    // Models are in this process, so the library may be as well.
    public Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken) =>
        Task.Run(() => InferenceDevices.List(NativeKind.Default, loggers), cancellationToken);

    public Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken) =>
        LlamaEngine.LoadAsync(path, EngineSettings.For(options.Value, memory), progress, loggers, time, cancellationToken);
}

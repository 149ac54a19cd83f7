using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Batching;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>Loads each model into a process of its own: the default with a native library that ends its process when something is wrong.</summary>
internal sealed class ProcessEngineLoader(IOptions<WorkerOptions> options, ILoggerFactory loggers, TimeProvider time) : IEngineLoader
{
    private const int LabelLength = 19;

    public MemoryNeed Measure(string path) => EngineSettings.Measure(path, options.Value);

    public Task<LoadedEngine> LoadAsync(string path, IProgress<float> progress, CancellationToken cancellationToken)
    {
        EngineOptions engine = EngineSettings.For(options.Value);
        string errors = string.Join(" ", engine.Validate());
        if (errors.Length > 0)
            throw new ArgumentException(errors, nameof(path));
        return ProcessEngine.LoadAsync(
            new LoadOrder(path, engine), LabelOf(path), progress, time, loggers.CreateLogger<ProcessEngine>(), cancellationToken);
    }

    /// <summary>A file of a replica is named by its whole digest; the log shows as much as people compare.</summary>
    private static string LabelOf(string path)
    {
        string name = Path.GetFileName(path);
        return name.Length <= LabelLength ? name : name[..LabelLength];
    }
}

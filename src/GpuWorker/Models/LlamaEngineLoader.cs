using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Inference;
using OllamaMax.Inference.Batching;

namespace OllamaMax.GpuWorker.Models;

internal sealed class LlamaEngineLoader(IOptions<WorkerOptions> options, ILoggerFactory loggers, TimeProvider time) : IEngineLoader
{
    public Task<LoadedEngine> LoadAsync(string path, CancellationToken cancellationToken)
    {
        WorkerOptions worker = options.Value;
        var engine = new EngineOptions { Slots = worker.Slots, ContextPerSlot = worker.ContextLength };
        if (worker.Threads > 0)
            engine = engine with { Threads = worker.Threads };
        return LlamaEngine.LoadAsync(path, engine, loggers, time, cancellationToken);
    }
}

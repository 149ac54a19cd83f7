using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Inference;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Models;

internal sealed class LlamaEngineLoader(IOptions<WorkerOptions> options, ILoggerFactory loggers, TimeProvider time) : IEngineLoader
{
    public Task<LoadedEngine> LoadAsync(string path, CancellationToken cancellationToken)
    {
        WorkerOptions worker = options.Value;
        var engine = new EngineOptions { Slots = worker.Slots, ContextPerSlot = worker.ContextLength };
        if (worker.Threads > 0)
            engine = engine with { Threads = worker.Threads };
        if (worker.Exact)
            engine = engine with { KeyType = CacheType.F32, ValueType = CacheType.F32, FlashAttention = FlashAttention.Off };
        return LlamaEngine.LoadAsync(path, engine, loggers, time, cancellationToken);
    }
}

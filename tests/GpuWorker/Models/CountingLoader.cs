using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Loads engines that do nothing, says that each takes what a test wants, and keeps count.</summary>
internal sealed class CountingLoader : IEngineLoader
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<IdleEngine> Engines { get; } = [];

    public int Tries { get; private set; }

    public long Least { get; set; } = 100;

    /// <summary>Bytes that an engine says it has taken.</summary>
    public long Taken { get; set; }

    public long Vram { get; set; }

    public IReadOnlyList<InferenceDevice> Devices { get; set; } = [];

    /// <summary>Bytes that each might have taken.</summary>
    public List<long> Rooms { get; } = [];

    public Exception? Failure { get; set; }

    public Task Gate { get; set; } = Task.CompletedTask;

    public Task Begun => _begun.Task;

    /// <summary>On GPUs where there are any.</summary>
    public MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus) => new(Weights: 60, Cache: 40) { Least = Least, Vram = gpus.Count > 0 ? 100 : 0 };

    public Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken) => Task.FromResult(Devices);

    public async Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken)
    {
        Tries++;
        progress.Report(0.4f);
        _begun.TrySetResult();
        await Gate;
        if (Failure is not null)
            throw Failure;
        var engine = new IdleEngine();
        Engines.Add(engine);
        Rooms.Add(memory);
        return new LoadedEngine(engine, TimeSpan.Zero, 4096) { MemoryBytes = Taken, VramBytes = Vram };
    }
}

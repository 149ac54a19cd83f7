using OllamaMax.Inference;
using OllamaMax.Inference.Devices;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Brings a model into memory: llama.cpp in production, a script where only the dispatch is measured.</summary>
public interface IEngineLoader
{
    /// <summary>What it is to take there, before it is loaded.</summary>
    /// <param name="path">The file.</param>
    /// <param name="gpus">What layers go to, as if no model were there.</param>
    MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus);

    /// <summary>What models can be computed on here, with their memory as it was a short while ago. The first answer can take seconds.</summary>
    /// <exception cref="Inference.Native.ModelLoadException">It cannot be found out.</exception>
    Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken);

    /// <param name="path">The file.</param>
    /// <param name="memory">Bytes that it may take, of a GPU or not; what it takes of them is in <see cref="LoadedEngine.MemoryBytes"/>.</param>
    /// <param name="progress">Told on any thread how much is read, from 0 to 1; must not throw.</param>
    /// <exception cref="Inference.Native.ModelLoadException">The file cannot be used.</exception>
    Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken);
}

/// <summary>Bytes of memory that a model takes, of a GPU or not.</summary>
/// <param name="Weights">The file's.</param>
/// <param name="Cache">Keys and values of all slots, when their contexts are full, and what computing takes.</param>
public sealed record MemoryNeed(long Weights, long Cache)
{
    public long Total => Weights + Cache;

    /// <summary>With a small context: with less it cannot be loaded.</summary>
    public long Least { get; init; } = Weights + Cache;

    /// <summary>In the GPUs' memory, where that holds all of its layers while no other model is there; 0: it does not, or none goes there.</summary>
    public long Vram { get; init; }
}

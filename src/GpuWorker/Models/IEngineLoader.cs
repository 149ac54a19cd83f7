using OllamaMax.Inference;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Brings a model into memory: llama.cpp in production, a script where only the dispatch is measured.</summary>
public interface IEngineLoader
{
    /// <summary>What it will take there, before it is loaded.</summary>
    MemoryNeed Measure(string path);

    /// <param name="progress">Told on any thread how much is read, from 0 to 1; must not throw.</param>
    /// <exception cref="Inference.Native.ModelLoadException">The file cannot be used.</exception>
    Task<LoadedEngine> LoadAsync(string path, IProgress<float> progress, CancellationToken cancellationToken);
}

/// <summary>Bytes of memory that a model takes, of a GPU or not.</summary>
/// <param name="Weights">The file's.</param>
/// <param name="Cache">Keys and values of all slots, when their contexts are full.</param>
public sealed record MemoryNeed(long Weights, long Cache)
{
    public long Total => Weights + Cache;
}

using OllamaMax.Inference;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Brings a model into memory: llama.cpp in production, a script where only the dispatch is measured.</summary>
public interface IEngineLoader
{
    /// <exception cref="Inference.Native.ModelLoadException">The file cannot be used.</exception>
    Task<LoadedEngine> LoadAsync(string path, CancellationToken cancellationToken);
}

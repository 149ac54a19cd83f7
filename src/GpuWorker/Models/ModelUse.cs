using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Models;

/// <summary>A job's hold on an engine; the engine stays until it is disposed.</summary>
internal sealed class ModelUse(IInferenceEngine engine, Action release) : IDisposable
{
    private Action? _release = release;

    public IInferenceEngine Engine { get; } = engine;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}

using OllamaMax.Jobs;

namespace OllamaMax.Inference;

/// <param name="Engine">Runs jobs; disposing it frees the model.</param>
/// <param name="LoadDuration">From the file's opening until the first job could run.</param>
/// <param name="ContextPerSlot">Tokens of context of a job that asks for no number.</param>
public sealed record LoadedEngine(IInferenceEngine Engine, TimeSpan LoadDuration, int ContextPerSlot) : IAsyncDisposable
{
    /// <summary>Bytes of weights and context, and an estimate of the buffers for computing; 0: it takes none that is known.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Of them, those in GPU memory.</summary>
    public long VramBytes { get; init; }

    /// <summary>Layers in GPU memory; -1: all, where there is a GPU.</summary>
    public int GpuLayers { get; init; } = -1;

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}

using OllamaMax.Jobs;

namespace OllamaMax.Inference;

/// <param name="Engine">Runs jobs; disposing it frees the model.</param>
/// <param name="LoadDuration">From the file's opening until the first job could run.</param>
/// <param name="ContextPerSlot">Tokens of context of a job that asks for no number.</param>
/// <param name="Description">For people, such as <c>llama 4M Q8_0</c>.</param>
/// <param name="ParameterCount">Weights of the model.</param>
public sealed record LoadedEngine(
    IInferenceEngine Engine, TimeSpan LoadDuration, int ContextPerSlot, string Description, long ParameterCount) : IAsyncDisposable
{
    /// <summary>Tokens of context that there is memory for, all jobs together: what one job may ask for at most.</summary>
    public int TotalContext { get; init; }

    /// <summary>Bytes of weights and context, and an estimate of the buffers for computing; 0: it takes none that is known.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Of them, those in GPU memory.</summary>
    public long VramBytes { get; init; }

    /// <summary>Layers in GPU memory; -1: all, where there is a GPU.</summary>
    public int GpuLayers { get; init; } = -1;

    /// <summary>Whether the model has vectors for texts.</summary>
    public bool Embeds { get; init; }

    /// <summary>Whether the model writes; if not, it only embeds.</summary>
    public bool Generates { get; init; } = true;

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}

namespace OllamaMax.Inference.Sizing;

/// <summary>How a model is to use memory, and how much that takes. All sizes are bytes.</summary>
public sealed record MemoryPlan
{
    /// <summary>Jobs decoded at once.</summary>
    public required int Slots { get; init; }

    /// <summary>Tokens of context of a job that asks for no number.</summary>
    public required int ContextPerSlot { get; init; }

    /// <summary>Tokens of context, all jobs together.</summary>
    public required int TotalContext { get; init; }

    /// <summary>Tokens of context beside that, to read a long prompt in while answers run; 0: none.</summary>
    public int StageContext { get; init; }

    /// <summary>Most of the machine's memory for beginnings of prompts that have left the context; not part of <see cref="Bytes"/>, as it is of what is left over.</summary>
    public long PrefixBytes { get; init; }

    /// <summary>Layers in GPU memory; -1: all, also where there is no GPU.</summary>
    public required int GpuLayers { get; init; }

    /// <summary>Whether layers are in a GPU's memory, as far as that is known.</summary>
    public required bool UsesGpu { get; init; }

    /// <summary>The file's size.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Keys and values of <see cref="TotalContext"/> and <see cref="StageContext"/>, and the states of recurrent models.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>Buffers for computing, on one device, those of <see cref="StageContext"/> too; an estimate.</summary>
    public required long ComputeBytes { get; init; }

    /// <summary>Of all that, what is in the memory of GPUs.</summary>
    public required long VramBytes { get; init; }

    /// <summary>With one slot and the least context that is of use: with less memory the model cannot be loaded.</summary>
    public required long LeastBytes { get; init; }

    public long Bytes => WeightBytes + CacheBytes + ComputeBytes;
}

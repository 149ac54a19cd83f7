namespace OllamaMax.Inference.Native;

internal sealed record ContextConfig
{
    /// <summary>Tokens, all sequences together.</summary>
    public required int Capacity { get; init; }

    public required int Sequences { get; init; }

    /// <summary>Most tokens in a batch; at least <see cref="NativeSequences"/>.</summary>
    public required int BatchSize { get; init; }

    public required int Threads { get; init; }

    public CacheType KeyType { get; init; } = CacheType.F16;

    public CacheType ValueType { get; init; } = CacheType.F16;

    public FlashAttention FlashAttention { get; init; }

    /// <summary>Tokens that layers with a sliding window look back; 0 where no layer has one.</summary>
    public int SlidingWindow { get; init; }

    /// <summary>Parts of sequences can be copied out of it and into it. Not for models with a state or a sliding window.</summary>
    public bool Exchanges { get; init; }

    /// <summary>A computation can be interrupted between its parts. Not under LLamaSharp, where no other context could compute meanwhile.</summary>
    public bool IsInterruptible { get; init; }

    /// <summary>Sequences that the library is to know: one of them holds what is on its way out or in.</summary>
    public int NativeSequences => Exchanges ? Sequences + 1 : Sequences;

    /// <summary>Tokens to ask the library for. It rounds them up later, but ends the process where there are fewer than sequences.</summary>
    public int NativeCapacity => Math.Max(Capacity, NativeSequences);

    /// <summary>Set: the context computes vectors of texts, and every entry of a batch asks for output. Null: it writes.</summary>
    public Pooling? Pooling { get; init; }

    public static bool IsQuantized(CacheType type) => type is CacheType.Q8 or CacheType.Q4;

    /// <exception cref="ArgumentException"/>
    public void Validate(int maximalSequences)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Sequences, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(NativeSequences, maximalSequences);
        // The library plans for an output of each sequence, and ends the process if no batch can hold them.
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, NativeSequences);
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads, 1);
        // ggml keeps a table of this size.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Threads, 512);
        // Pooling is planned for a whole batch, shared equally by all sequences; anything else ends the process.
        if (Pooling is not null && (BatchSize % Sequences != 0 || Capacity < BatchSize))
            throw new ArgumentException($"A context that embeds has room for a batch, and its batch a multiple of its sequences: not {BatchSize} tokens, {Sequences} sequences and room for {Capacity}.");
        if (Exchanges && SlidingWindow > 0)
            throw new ArgumentException("Part of a sequence cannot be copied where layers have forgotten some of it.");
        // Without it nothing checks that the blocks of a quantized cache fit the model's heads.
        if (FlashAttention == FlashAttention.Off && (IsQuantized(KeyType) || IsQuantized(ValueType)))
            throw new ArgumentException("A quantized cache needs flash attention.");
    }
}

using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>How an engine uses its machine.</summary>
public sealed record EngineOptions
{
    public NativeKind Native { get; init; }

    /// <summary>Most slots that a model gets where <see cref="Slots"/> says nothing: from there on a CPU, and most GPUs, hardly gain.</summary>
    public const int MostSlots = 8;

    /// <summary>llama.cpp knows 256 sequences: with 64 slots, and one for what is on its way out of the context or into it.</summary>
    public const int MostCachedPrompts = 191;

    /// <summary>Beyond it a step computes longer than guesses can be worth.</summary>
    public const int MostDraftTokens = DraftPlanner.MostTokens - 1;

    /// <summary>Jobs decoded at once, 1-64; null: as many as memory has room for at the whole context, 1 to <see cref="MostSlots"/>.</summary>
    public int? Slots { get; init; }

    /// <summary>
    /// Tokens of context of a job that asks for no number (num_ctx), prompt and answer together; the model's trained context is a bound as well. A job
    /// may ask for more, up to the trained context and <see cref="TotalContext"/>.
    /// </summary>
    public int ContextPerSlot { get; init; } = 4096;

    /// <summary>
    /// Tokens of context kept in memory, all jobs together; null: enough for every slot to be full, but no more than <see cref="MemoryBytes"/> allows. With less, jobs may have to wait.
    /// </summary>
    public int? TotalContext { get; init; }

    /// <summary>
    /// Bytes for the model: its weights, context, and an estimate of the buffers for computing, of GPUs or not. Null: no bound. With less the context is
    /// smaller; a model that does not fit with 256 tokens of it is not loaded.
    /// </summary>
    public long? MemoryBytes { get; init; }

    /// <summary>
    /// Finished prompts and answers that stay in memory beside the running ones, up to <see cref="MostCachedPrompts"/>, so that a prompt that begins alike need not be read again. They take what
    /// running jobs leave of the context. 0: none, and none that runs is used either: no prompt is read faster for what another one was. Models with a state
    /// keep them in idle slots only: each would cost memory of its own.
    /// </summary>
    public int CachedPrompts { get; init; } = 16;

    /// <summary>
    /// Bytes of the machine's memory for beginnings of prompts that have left the context, where they cost running jobs nothing; filled as they come. Beside
    /// <see cref="MemoryBytes"/>, and at most half of what is free when the model is loaded. 0: none. On a GPU there is none, nor for models with a state or a sliding window.
    /// </summary>
    public long PrefixBytes { get; init; } = HostMemory.Total / 16;

    /// <summary>
    /// Tokens that are decoded before a kept prompt leaves the context that nobody came back for; null: few where it goes to <see cref="PrefixBytes"/>, else thousands. A
    /// token that is kept makes each that is decoded slower by a ten-thousandth of what a token of a prompt takes, more or less (bench, section kept).
    /// </summary>
    internal long? CachedFor { get; init; }

    /// <summary>CPU threads, 1-512. More than there are idle cores is far slower than fewer.</summary>
    public int Threads { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Most tokens in one decode step, from <see cref="Slots"/> to 65536.</summary>
    public int BatchSize { get; init; } = 512;

    /// <summary>
    /// Most tokens of prompts read in one step while answers are running; fewer are, as many as keep a step at not quite two, up to three times its usual length.
    /// From <see cref="Slots"/> on.
    /// </summary>
    public int PromptTokensBesideAnswers { get; init; } = 512;

    /// <summary>
    /// Most tokens of an answer that are guessed ahead in a step, up to <see cref="MostDraftTokens"/>; fewer are, as many as make more tokens a second as measured. 0: none. Models with a
    /// state have none.
    /// </summary>
    public int DraftTokens { get; init; } = 16;

    /// <summary>Layers in GPU memory; -1: all. Null: as many as its free memory has room for.</summary>
    public int? GpuLayers { get; init; }

    public CacheType KeyType { get; init; } = CacheType.F16;

    public CacheType ValueType { get; init; } = CacheType.F16;

    /// <summary>Off, with both cache types F32: answers that do not depend on what else is running, on the same machine.</summary>
    public FlashAttention FlashAttention { get; init; }

    /// <summary>
    /// Threads that choose the tokens of a step; null: more than one on a GPU. There the processor has nothing else to do, and the GPU waits meanwhile, the more sequences and
    /// the larger the vocabulary the longer. Beside llama.cpp's own threads, which spin between two steps, they would be in each other's way.
    /// </summary>
    internal int? SamplingThreads { get; init; }

    /// <summary>A sequence of a model with a state has memory of its own, used or not: such a model keeps finished ones in idle slots only.</summary>
    internal int SequencesFor(int slots, bool isRecurrent) => slots + (isRecurrent ? 0 : CachedPrompts);

    /// <summary>A state cannot forget a token that was guessed wrong.</summary>
    internal int DraftTokensFor(ModelShape model) => model.IsRecurrent ? 0 : DraftTokens;

    /// <returns>Everything that is wrong, a sentence each.</returns>
    public IEnumerable<string> Validate()
    {
        if (!NativeModels.Has(Native))
            yield return $"{nameof(Native)} is {Native}, which is not in this build.";
        if (Slots is < 1 or > 64)
            yield return $"{nameof(Slots)} is {Slots}; it must be from 1 to 64.";
        if (ContextPerSlot < 1)
            yield return $"{nameof(ContextPerSlot)} is {ContextPerSlot}; it must be at least 1.";
        if (TotalContext < ContextPerSlot)
            yield return $"{nameof(TotalContext)} is {TotalContext}; it must be at least {nameof(ContextPerSlot)}, {ContextPerSlot}.";
        if (TotalContext is null && (long)(Slots ?? 1) * ContextPerSlot > int.MaxValue)
            yield return $"{nameof(Slots)} times {nameof(ContextPerSlot)} must not be above {int.MaxValue}.";
        if (MemoryBytes < 1)
            yield return $"{nameof(MemoryBytes)} is {MemoryBytes}; it must be at least 1.";
        if (CachedPrompts is < 0 or > MostCachedPrompts)
            yield return $"{nameof(CachedPrompts)} is {CachedPrompts}; it must be from 0 to {MostCachedPrompts}.";
        if (PrefixBytes < 0)
            yield return $"{nameof(PrefixBytes)} is {PrefixBytes}; it must be at least 0.";
        if (Threads is < 1 or > 512)
            yield return $"{nameof(Threads)} is {Threads}; it must be from 1 to 512.";
        int slots = Slots ?? MostSlots;
        if (BatchSize < slots || BatchSize > 65536)
            yield return $"{nameof(BatchSize)} is {BatchSize}; it must be from {nameof(Slots)}, {slots}, to 65536.";
        if (PromptTokensBesideAnswers < slots)
            yield return $"{nameof(PromptTokensBesideAnswers)} is {PromptTokensBesideAnswers}; it must be at least {nameof(Slots)}, {slots}.";
        if (DraftTokens is < 0 or > MostDraftTokens)
            yield return $"{nameof(DraftTokens)} is {DraftTokens}; it must be from 0 to {MostDraftTokens}.";
        if (GpuLayers < -1)
            yield return $"{nameof(GpuLayers)} is {GpuLayers}; it must be at least -1.";
        if (!Enum.IsDefined(KeyType) || !Enum.IsDefined(ValueType))
            yield return $"{nameof(KeyType)} or {nameof(ValueType)} is no type of cache.";
        if (!Enum.IsDefined(FlashAttention))
            yield return $"{nameof(FlashAttention)} is {FlashAttention}; it must be Auto, Off or On.";
        if (FlashAttention == FlashAttention.Off && (ContextConfig.IsQuantized(KeyType) || ContextConfig.IsQuantized(ValueType)))
            yield return $"{nameof(KeyType)} {KeyType} and {nameof(ValueType)} {ValueType} need {nameof(FlashAttention)}.";
    }
}

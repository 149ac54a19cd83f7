using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Sizing;

namespace OllamaMax.GpuWorker.Models;

/// <summary>What a worker's options mean for its engines.</summary>
internal static class EngineSettings
{
    public static EngineOptions For(WorkerOptions worker, long? memory = null)
    {
        var engine = new EngineOptions
        {
            Slots = worker.Slots,
            ContextPerSlot = worker.ContextLength,
            MemoryBytes = memory,
            CachedPrompts = worker.KeptPrompts,
            DraftTokens = worker.DraftTokens,
            GpuLayers = worker.GpuLayers,
            KeyType = worker.CacheType,
            ValueType = worker.CacheType,
            FlashAttention = worker.FlashAttention,
        };
        // What one model is given all of them may fill.
        engine = engine with { PrefixBytes = worker.PromptCache ?? engine.PrefixBytes / worker.LoadedModels };
        if (worker.Threads > 0)
            engine = engine with { Threads = worker.Threads };
        if (worker.Exact)
            engine = engine with { KeyType = CacheType.F32, ValueType = CacheType.F32, FlashAttention = FlashAttention.Off };
        return engine;
    }

    /// <summary>
    /// By the file's header. Without a number of slots, for one: others make way for that, and it gets more of what is free then. What cannot be
    /// read takes its size alone: loading it will say what is wrong.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="worker">What the worker was told.</param>
    /// <param name="gpus">What layers go to, as if no model were there.</param>
    public static MemoryNeed Measure(string path, WorkerOptions worker, IReadOnlyList<InferenceDevice> gpus)
    {
        EngineOptions options = For(worker);
        try
        {
            MemoryPlan plan = ModelMemory.Plan(path, options with { Slots = options.Slots ?? 1 }, options.GpuLayers == 0 ? [] : gpus);
            return new MemoryNeed(plan.WeightBytes, plan.Bytes - plan.WeightBytes) { Least = plan.LeastBytes, Vram = plan.GpuLayers < 0 ? plan.VramBytes : 0 };
        }
        catch (ModelLoadException)
        {
            return new MemoryNeed(new FileInfo(path).Length, 0);
        }
    }
}

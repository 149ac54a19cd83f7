using System.Text.Json;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Models.Gguf;

namespace OllamaMax.GpuWorker.Models;

/// <summary>What a worker's options mean for its engines.</summary>
internal static class EngineSettings
{
    public static EngineOptions For(WorkerOptions worker)
    {
        var engine = new EngineOptions { Slots = worker.Slots, ContextPerSlot = worker.ContextLength };
        if (worker.Threads > 0)
            engine = engine with { Threads = worker.Threads };
        if (worker.Exact)
            engine = engine with { KeyType = CacheType.F32, ValueType = CacheType.F32, FlashAttention = FlashAttention.Off };
        return engine;
    }

    /// <summary>By the file's header. What cannot be read takes its size alone: loading it will say what is wrong.</summary>
    public static MemoryNeed Measure(string path, WorkerOptions worker)
    {
        using FileStream file = File.OpenRead(path);
        try
        {
            GgufHeader header = GgufReader.Read(file);
            long cell = CacheValues(header.Metadata, out int trained) * (worker.Exact ? sizeof(float) : 2);
            long context = trained > 0 ? Math.Min(worker.ContextLength, trained) : worker.ContextLength;
            return new MemoryNeed(file.Length, cell * context * worker.Slots);
        }
        catch (GgufFormatException)
        {
            return new MemoryNeed(file.Length, 0);
        }
    }

    /// <summary>Numbers that the cache keeps for one token.</summary>
    private static long CacheValues(IReadOnlyDictionary<string, JsonElement> metadata, out int trained)
    {
        string architecture = metadata.TryGetValue("general.architecture", out JsonElement name) ? name.GetString() ?? "" : "";
        trained = (int)Number("context_length", 0);
        long layers = Number("block_count", 0);
        long heads = Math.Max(1, Number("attention.head_count", 1));
        long keyHeads = Number("attention.head_count_kv", heads);
        long width = Number("embedding_length", 0) / heads;
        return layers * keyHeads * (Number("attention.key_length", width) + Number("attention.value_length", width));

        long Number(string key, long otherwise) =>
            !metadata.TryGetValue($"{architecture}.{key}", out JsonElement value) ? otherwise
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number
            // A number for each layer: the largest, as what is too much is safe.
            : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Max(item => item.TryGetInt64(out long one) ? one : 0)
            : otherwise;
    }
}

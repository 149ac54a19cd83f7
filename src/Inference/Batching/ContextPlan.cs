using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Batching;

/// <summary>How much context an engine gets, and what that takes.</summary>
/// <param name="PerSlot">Tokens of a job that asks for no number.</param>
/// <param name="Total">Tokens, all jobs together.</param>
/// <param name="Bytes">Of keys and values, all together; states of recurrent models not counted.</param>
internal sealed record ContextPlan(int PerSlot, int Total, long Bytes)
{
    // With less a model cannot do anything useful.
    private const int Least = 256;

    /// <exception cref="ModelLoadException">The model does not fit; the message goes on after the file's name.</exception>
    public static ContextPlan Of(EngineOptions options, ModelShape shape)
    {
        int perSlot = shape.TrainedContext > 0 ? Math.Min(options.ContextPerSlot, shape.TrainedContext) : options.ContextPerSlot;
        int total = options.TotalContext ?? (int)Math.Min((long)options.Slots * perSlot, int.MaxValue);
        long perToken = shape.CacheBytesPerToken(options.KeyType, options.ValueType);
        if (options.MemoryBytes is { } memory)
        {
            long fit = (memory - shape.FileBytes) / Math.Max(1, perToken);
            if (memory < shape.FileBytes || fit < Math.Min(Least, perSlot))
            {
                throw new ModelLoadException($"does not fit: its weights are {shape.FileBytes} bytes, a token of context {perToken}, "
                    + $"and there are {memory} bytes for them");
            }
            total = (int)Math.Min(total, fit);
            perSlot = Math.Min(perSlot, total);
        }
        return new ContextPlan(perSlot, total, perToken * total);
    }
}

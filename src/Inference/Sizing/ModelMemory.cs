using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Sizing;

/// <summary>What models take of memory, before they are loaded.</summary>
public static class ModelMemory
{
    /// <summary>Plans by a GGUF's header alone, as loading does.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Valid.</param>
    /// <param name="devices">With what is free now; none: only <see cref="EngineOptions.MemoryBytes"/> bounds.</param>
    /// <exception cref="ModelLoadException">The file is no model, or does not fit; the message says why, in one line.</exception>
    public static MemoryPlan Plan(string path, EngineOptions options, IReadOnlyList<InferenceDevice> devices) => Plan(path, GgufCheck.Check(path), options, devices);

    internal static MemoryPlan Plan(string path, ModelShape shape, EngineOptions options, IReadOnlyList<InferenceDevice> devices)
    {
        try
        {
            return MemoryPlanner.Of(shape, options, devices);
        }
        catch (ModelLoadException failure)
        {
            throw new ModelLoadException($"{path} {failure.Message}", failure);
        }
    }
}

using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference;

/// <summary>Loads models for the batching engine.</summary>
public static class LlamaEngine
{
    /// <summary>Reads a GGUF file and starts an engine for it. Takes as long as the file takes to be read.</summary>
    /// <exception cref="ModelLoadException">The file or the library that runs it cannot be used; the message says why, in one line.</exception>
    /// <exception cref="ArgumentException">Options are wrong; the message names all of them.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static Task<LoadedEngine> LoadAsync(
        string path, EngineOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken) =>
        LoadAsync(path, options, null, loggers, time, cancellationToken);

    /// <inheritdoc cref="LoadAsync(string, EngineOptions, ILoggerFactory, TimeProvider, CancellationToken)"/>
    /// <param name="progress">Told how much is read, from 0 to 1, on the loading thread; must not throw.</param>
    public static Task<LoadedEngine> LoadAsync(
        string path, EngineOptions options, IProgress<float>? progress, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        string errors = string.Join(" ", options.Validate());
        return errors.Length > 0
            ? throw new ArgumentException(errors, nameof(options))
            : Task.Run(() => Load(path, options, progress, loggers, time, cancellationToken), cancellationToken);
    }

    private static LoadedEngine Load(
        string path, EngineOptions options, IProgress<float>? progress, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        ModelShape shape = GgufCheck.Check(path);
        ContextPlan plan = Plan(path, options, shape);
        int gpuLayers = options.GpuLayers ?? GpuFit.Layers(shape, plan.Bytes, InferenceDevices.List(options.Native, loggers));
        INativeModel model = NativeModels.Load(options.Native, path, new ModelConfig(gpuLayers, progress), loggers, cancellationToken);
        try
        {
            INativeContext? context = shape.IsGenerator ? model.CreateContext(Config(options, plan, shape)) : null;
            BatchingEngine engine = new(model, context, plan.PerSlot, options, time, loggers);
            return new LoadedEngine(engine, time.GetElapsedTime(start), plan.PerSlot, model.Description, model.ParameterCount)
            {
                TotalContext = context?.Capacity ?? plan.PerSlot,
                MemoryBytes = shape.FileBytes + (context is null ? 0 : plan.Bytes),
                GpuLayers = gpuLayers,
                Embeds = shape.Pooling is not null,
                Generates = shape.IsGenerator,
            };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static ContextPlan Plan(string path, EngineOptions options, ModelShape shape)
    {
        try
        {
            return ContextPlan.Of(options, shape);
        }
        catch (ModelLoadException failure)
        {
            throw new ModelLoadException($"{path} {failure.Message}", failure);
        }
    }

    private static ContextConfig Config(EngineOptions options, ContextPlan plan, ModelShape shape)
    {
        // A sequence of a model with a state has memory of its own, used or not.
        int sequences = options.Slots + (shape.IsRecurrent ? 0 : options.CachedPrompts);
        return new ContextConfig
        {
            Capacity = plan.Total,
            Sequences = sequences,
            BatchSize = Math.Max(options.BatchSize, sequences),
            Threads = options.Threads,
            KeyType = options.KeyType,
            ValueType = options.ValueType,
            FlashAttention = options.FlashAttention,
        };
    }
}

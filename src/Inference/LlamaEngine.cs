using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Batching;
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
        INativeModel model = NativeModels.Load(options.Native, path, new ModelConfig(options.GpuLayers, progress), loggers, cancellationToken);
        try
        {
            int contextPerSlot = model.TrainedContext > 0 ? Math.Min(options.ContextPerSlot, model.TrainedContext) : options.ContextPerSlot;
            INativeContext context = model.CreateContext(Config(options, contextPerSlot));
            BatchingEngine engine = new(model, context, contextPerSlot, options, time, loggers.CreateLogger<BatchingEngine>());
            return new LoadedEngine(engine, time.GetElapsedTime(start), contextPerSlot, model.Description, model.ParameterCount);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static ContextConfig Config(EngineOptions options, int contextPerSlot) => new()
    {
        Capacity = options.TotalContext ?? options.Slots * contextPerSlot,
        Sequences = options.Slots,
        BatchSize = options.BatchSize,
        Threads = options.Threads,
        KeyType = options.KeyType,
        ValueType = options.ValueType,
        FlashAttention = options.FlashAttention,
    };
}

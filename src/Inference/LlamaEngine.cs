using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Sizing;

namespace OllamaMax.Inference;

/// <summary>Loads models for the batching engine.</summary>
public static class LlamaEngine
{
    // From there on memory has no more to give.
    private const int MostSamplingThreads = 8;

    private const int WarmUpTokens = 64;

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
        MemoryPlan plan = ModelMemory.Plan(path, shape, options, InferenceDevices.List(options.Native, loggers));
        INativeModel model = NativeModels.Load(options.Native, path, new ModelConfig(plan.GpuLayers, progress), loggers, cancellationToken);
        INativeContext? context = null, stage = null;
        try
        {
            ContextConfig config = Config(options, plan, shape);
            options = options with
            {
                PrefixBytes = plan.PrefixBytes,
                SamplingThreads = options.SamplingThreads ?? (plan.UsesGpu ? Math.Clamp(Environment.ProcessorCount / 2, 1, MostSamplingThreads) : 1),
            };
            context = shape.IsGenerator ? model.CreateContext(config) : null;
            stage = plan.StageContext > 0 ? model.CreateContext(PromptStage.Config(config, plan.StageContext)) : null;
            if (plan.UsesGpu && context is not null)
                WarmUp(context);
            BatchingEngine engine = new(model, context, stage, plan.Slots, plan.ContextPerSlot, options, time, loggers);
            return new LoadedEngine(engine, time.GetElapsedTime(start), plan.ContextPerSlot)
            {
                MemoryBytes = plan.Bytes,
                VramBytes = plan.VramBytes,
                GpuLayers = plan.GpuLayers,
            };
        }
        catch
        {
            stage?.Dispose();
            context?.Dispose();
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A GPU's first steps load its kernels, and compile them where the library has none for it, for minutes: a job would be given up meanwhile. A GPU that the
    /// library cannot use shows here too.
    /// </summary>
    /// <param name="context">Empty, and so again.</param>
    /// <exception cref="ModelLoadException">A step failed.</exception>
    internal static void WarmUp(INativeContext context)
    {
        // One token and many have kernels of their own.
        foreach (int tokens in new[] { 1, Math.Min(WarmUpTokens, Math.Min(context.BatchSize, context.Capacity)) })
        {
            DecodeBatch batch = new(tokens);
            for (int i = 0; i < tokens; i++)
                batch.Add(token: 0, position: i, sequence: 0, output: i == tokens - 1);
            try
            {
                if (context.Decode(batch) is not DecodeOutcome.Ok and var outcome)
                    throw new ModelLoadException($"The model's first step failed: {outcome}.");
                _ = context.Logits(tokens - 1);
            }
            catch (NativeException failure)
            {
                throw new ModelLoadException($"The model's first step failed: {failure.Message}", failure);
            }
            context.TruncateSequence(0, 0);
        }
    }

    private static ContextConfig Config(EngineOptions options, MemoryPlan plan, ModelShape shape)
    {
        ContextConfig config = new()
        {
            Capacity = plan.TotalContext,
            Sequences = options.SequencesFor(plan.Slots, shape.IsRecurrent),
            BatchSize = options.BatchSize,
            Threads = options.Threads,
            SlidingWindow = shape.SlidingWindow,
            Exchanges = plan.StageContext > 0 || plan.PrefixBytes > 0,
            KeyType = options.KeyType,
            ValueType = options.ValueType,
            FlashAttention = options.FlashAttention,
        };
        return config with { BatchSize = Math.Max(options.BatchSize, config.NativeSequences) };
    }
}

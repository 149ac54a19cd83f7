using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Embedding;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Runs jobs of one model, many at a time, on threads of its own that own the native contexts. Callers tokenize on
/// their own thread and hand the job over; it joins at the next step.
/// </summary>
internal sealed partial class BatchingEngine : IInferenceEngine
{
    private readonly INativeModel _model;
    private readonly EngineThread<EngineJob>? _decoding;
    private readonly JobReader? _reader;
    private readonly Func<EngineThread<EmbeddingJob>> _newEmbedding;
    private Lazy<EngineThread<EmbeddingJob>> _embedding;
    private readonly EmbeddingReader _texts;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    /// <summary>Owns model and context from here on.</summary>
    /// <param name="model">The model.</param>
    /// <param name="context">To write with; null where the model only embeds.</param>
    /// <param name="stage">To read long prompts in, beside answers; null: they are read in <paramref name="context"/>.</param>
    /// <param name="slots">Jobs decoded at once.</param>
    /// <param name="contextPerSlot">Tokens of context of a job that asks for no number.</param>
    /// <param name="options">Valid.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">For the log.</param>
    public BatchingEngine(
        INativeModel model, INativeContext? context, INativeContext? stage, int slots, int contextPerSlot, EngineOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _model = model;
        _logger = loggers.CreateLogger<BatchingEngine>();
        Slots = slots;
        if (context is not null)
        {
            _reader = new JobReader(model, contextPerSlot, context.Capacity, guesses: options.DraftTokensFor(model.Shape) > 0);
            DecodeLoop loop = new(model, context, stage is null ? null : new PromptStage(stage, context, time), slots, options, time, loggers.CreateLogger<DecodeLoop>());
            _decoding = new EngineThread<EngineJob>("decode", () => loop, _broken, _logger);
        }
        _texts = new EmbeddingReader(model, contextPerSlot);
        _newEmbedding = () => new EngineThread<EmbeddingJob>(
            "embed", () => EmbeddingLoop.Create(model, slots, contextPerSlot, options, time, loggers.CreateLogger<EmbeddingLoop>()), _broken, _logger);
        // Most models are never asked for vectors, and their context takes memory.
        _embedding = new(_newEmbedding);
    }

    public int Slots { get; }

    public long Steps => (_decoding?.Steps ?? 0) + (_embedding.IsValueCreated ? _embedding.Value.Steps : 0);

    public bool IsContinuable => true;

    public Task Broken => _broken.Task;

    public ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken) => _decoding is null
        ? ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Invalid, Error = "the model makes embeddings; it does not write" })
        : RunAsync(_decoding, () => _reader!.Read(request, sink, cancellationToken), cancellationToken);

    public ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken) => _model.Shape.Pooling is null
        ? ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Invalid, Error = "the model ranks texts; it has no embeddings" })
        : RunAsync(Embedding(), () => _texts.Read(request, sink, cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        if (_decoding is not null)
            await _decoding.DisposeAsync();
        if (_embedding.IsValueCreated)
            await _embedding.Value.DisposeAsync();
        _model.Dispose();
    }

    /// <summary>The thread that embeds; a new one where there was no memory for the last one's context, as there may be now.</summary>
    private EngineThread<EmbeddingJob> Embedding()
    {
        Lazy<EngineThread<EmbeddingJob>> last = _embedding;
        if (last is { IsValueCreated: true, Value.HasNotBegun: true } && !_stopping)
            Interlocked.CompareExchange(ref _embedding, new(_newEmbedding), last);
        return _embedding.Value;
    }

    private async ValueTask<AttemptEnd> RunAsync<TJob>(
        EngineThread<TJob> thread, Func<(TJob? Job, AttemptEnd? End)> read, CancellationToken cancellationToken)
        where TJob : class, IEngineJob
    {
        if (cancellationToken.IsCancellationRequested)
            return new AttemptEnd { Reason = EndReason.Cancelled };
        if (_stopping || thread.IsStopping)
            return thread.NotTaken();
        try
        {
            // Tokenizing a long prompt takes a while, and the caller may be a loop with other things to do.
            (TJob? job, AttemptEnd? end) = await Task.Run(read, CancellationToken.None);
            return job is null ? end! : await thread.RunAsync(job);
        }
        catch (ObjectDisposedException)
        {
            return thread.NotTaken();
        }
        catch (NativeException failure)
        {
            LogPromptFailed(failure);
            return new AttemptEnd { Reason = EndReason.Failed, Error = failure.Message };
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A prompt could not be read")]
    private partial void LogPromptFailed(Exception failure);
}

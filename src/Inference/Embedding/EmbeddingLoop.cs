using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Embedding;

/// <summary>
/// Reads texts, as many in one batch as fit, first come, first served. It has a context of its own beside the one that writes: in a context that embeds, every
/// token asks for output, which would make each step of an answer slower, and pooling needs a text in one piece.
/// </summary>
internal sealed partial class EmbeddingLoop : IEngineLoop<EmbeddingJob>
{
    // Logits are computed for every token as well: 512 of a vocabulary of 150,000 are 300 MB.
    private const int BatchSize = 512;
    private const int Sequences = 64;

    private readonly INativeContext _context;
    private readonly Pooling _pooling;
    private readonly bool _canSplit;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DecodeBatch _batch;
    private readonly LinkedList<EmbeddingText> _texts = new();
    private readonly List<(EmbeddingText Text, int Count)> _parts = [];
    private readonly Stack<int> _free = new();
    private long _steps;

    private EmbeddingLoop(INativeContext context, Pooling pooling, bool canSplit, TimeProvider time, ILogger logger)
    {
        _context = context;
        _pooling = pooling;
        _canSplit = canSplit;
        _time = time;
        _logger = logger;
        _batch = new DecodeBatch(context.BatchSize);
        for (int sequence = context.SequenceCount - 1; sequence >= 0; sequence--)
            _free.Push(sequence);
    }

    public long Steps => Interlocked.Read(ref _steps);

    public bool IsIdle => _texts.Count == 0;

    /// <param name="model">A model that has vectors.</param>
    /// <param name="slots">Jobs decoded at once: as many sequences has a model with a state, whose sequences take memory.</param>
    /// <param name="longest">Most tokens of a text.</param>
    /// <param name="options">Threads and the like.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">For the log.</param>
    /// <exception cref="ModelLoadException">There is not enough memory.</exception>
    public static EmbeddingLoop Create(INativeModel model, int slots, int longest, EngineOptions options, TimeProvider time, ILogger logger)
    {
        // What a model that writes makes of a token depends on those before it alone: it can read a text in pieces.
        bool canSplit = model.Shape.IsGenerator;
        int sequences = model.Shape.IsRecurrent ? slots : Sequences;
        int batchSize = RoundedUp(canSplit ? Math.Min(BatchSize, longest) : Math.Max(BatchSize, longest), sequences);
        Pooling pooling = model.Shape.Pooling ?? throw new InvalidOperationException("The model has no vectors.");
        INativeContext context = model.CreateContext(new ContextConfig
        {
            Capacity = longest + batchSize,
            Sequences = sequences,
            BatchSize = batchSize,
            Threads = options.Threads,
            KeyType = options.KeyType,
            ValueType = options.ValueType,
            FlashAttention = options.FlashAttention,
            Pooling = pooling,
        });
        return new EmbeddingLoop(context, pooling, canSplit, time, logger);
    }

    public void Enqueue(EmbeddingJob job)
    {
        foreach (EmbeddingText text in job.Texts())
            _texts.AddLast(text);
    }

    public void Step()
    {
        foreach (EmbeddingJob job in Jobs().Where(static job => job.Cancellation.IsCancellationRequested))
            End(job, EndReason.Cancelled, null);
        if (IsIdle)
            return;
        Plan();
        Interlocked.Increment(ref _steps);
        string? error = Decode();
        foreach ((EmbeddingText text, int count) in _parts)
            Advance(text, count, error);
    }

    public void EndAll(EndReason reason, string? error)
    {
        foreach (EmbeddingJob job in Jobs())
            End(job, reason, error);
    }

    public void Dispose() => _context.Dispose();

    private static int RoundedUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private EmbeddingJob[] Jobs() => [.. _texts.Select(static text => text.Job).Distinct()];

    private void Plan()
    {
        _batch.Clear();
        _parts.Clear();
        foreach (EmbeddingText text in _texts)
        {
            int count = Math.Min(text.Pending, _batch.Capacity - _batch.Count);
            if (count == 0 || (!_canSplit && count < text.Pending) || (text.Sequence is null && _free.Count == 0))
                break;
            Add(text, count);
        }
    }

    private void Add(EmbeddingText text, int count)
    {
        text.Job.Begin(_time);
        int sequence = text.Sequence ??= _free.Pop();
        ReadOnlySpan<int> tokens = text.PendingTokens(count);
        for (int i = 0; i < count; i++)
            _batch.Add(tokens[i], text.Read + i, sequence, output: true);
        _parts.Add((text, count));
    }

    /// <returns>What went wrong; null when nothing did.</returns>
    private string? Decode()
    {
        try
        {
            DecodeOutcome outcome = _context.Decode(_batch);
            return outcome == DecodeOutcome.Ok ? null : $"the decoder refused a batch of {_batch.Count} tokens ({outcome})";
        }
        catch (NativeException failure)
        {
            LogDecodeFailed(failure, _parts.Count);
            return failure.Message;
        }
    }

    private void Advance(EmbeddingText text, int count, string? error)
    {
        if (text.Job.End.IsCompleted)
            return;
        if (error is not null)
        {
            End(text.Job, EndReason.Failed, error);
            return;
        }
        try
        {
            text.Add(_context.Embedding(text.Sequence!.Value), count, _pooling);
            if (text.Pending > 0)
                return;
            _texts.Remove(text);
            Release(text);
            text.Job.Write(text.Vector(), _time);
            if (text.Job.IsDone)
                End(text.Job, EndReason.Stop, null);
        }
#pragma warning disable CA1031 // A sink that throws or a broken vector is this job's failure: the others go on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogJobFailed(failure);
            End(text.Job, EndReason.Failed, failure.Message);
        }
    }

    private void End(EmbeddingJob job, EndReason reason, string? error)
    {
        foreach (EmbeddingText text in _texts.Where(text => text.Job == job).ToArray())
        {
            _texts.Remove(text);
            Release(text);
        }
        job.Finish(reason, error, _time);
    }

    private void Release(EmbeddingText text)
    {
        if (text.Sequence is not { } sequence)
            return;
        _context.TruncateSequence(sequence, 0);
        text.Sequence = null;
        _free.Push(sequence);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A batch of {Texts} texts could not be read; their jobs end")]
    private partial void LogDecodeFailed(Exception failure, int texts);

    [LoggerMessage(Level = LogLevel.Error, Message = "An embedding job failed")]
    private partial void LogJobFailed(Exception failure);
}

using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Decodes all running jobs together, step by step (continuous batching: Yu et al., Orca, OSDI 2022). Jobs join at the
/// next step and leave when they end. Used by one thread.
/// </summary>
internal sealed partial class DecodeLoop : IEngineLoop<EngineJob>
{
    private const int FirstPromptTokens = 8;

    // Tokens that others decode. A copy out and back costs a few steps' attention to what is copied.
    private const long KeptUntilSaved = 64;

    private readonly INativeModel _model;
    private readonly INativeContext _context;
    private readonly PromptStage? _stage;
    private readonly PrefixStore? _store;
    private readonly SequenceTable _sequences;
    private readonly DraftPlanner _drafts;
    private readonly StepPlanner _planner;
    private readonly StepSampling _sampling;
    private readonly PromptPacing _pacing;
    private readonly DecodeBatch _batch;
    private readonly int _slots;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LinkedList<EngineJob> _waiting = new();
    private readonly List<EngineJob> _running = [];
    private long _steps;

    // Memory was full: who waits, waits until somebody has ended.
    private bool _isFull;

    /// <summary>Owns the contexts from here on.</summary>
    public DecodeLoop(
        INativeModel model, INativeContext context, PromptStage? stage, int slots, EngineOptions options, TimeProvider time, ILogger logger)
    {
        _model = model;
        _context = context;
        _slots = Math.Min(slots, context.SequenceCount);
        _logger = logger;
        _store = options.PrefixBytes > 0 ? new PrefixStore(options.PrefixBytes) : null;
        _sequences = new SequenceTable(context, KeptFor(options), _store, logger);
        int batchSize = Math.Min(options.BatchSize, context.BatchSize);
        _stage = stage;
        _drafts = new DraftPlanner(options.DraftTokensFor(model.Shape));
        _planner = new StepPlanner(batchSize, _drafts, stage);
        _sampling = new StepSampling(context, model, options.SamplingThreads ?? 1);
        _pacing = new PromptPacing(FirstPromptTokens, options.PromptTokensBesideAnswers);
        _batch = new DecodeBatch(batchSize);
        _time = time;
    }

    public long Steps => Interlocked.Read(ref _steps);

    public bool IsIdle => _running.Count == 0 && _waiting.Count == 0;

    public void Enqueue(EngineJob job) => _waiting.AddLast(job);

    /// <summary>Lets go of cancelled jobs, takes in waiting ones, and decodes once.</summary>
    public void Step()
    {
        EndCancelled();
        Admit();
        Load();
        _stage?.Take(_running);
        if (_running.Count == 0)
            return;
        IReadOnlyList<StepPart> parts = _planner.Plan(_running, _batch, _pacing);
        _sequences.Decoding(_batch.Count);
        long start = _time.GetTimestamp();
        Interlocked.Increment(ref _steps);
        if (_batch.Count > 0 && !DecodeParts(parts))
            return;
        // On a GPU the decoding is over only when its logits have been read.
        Measure(_time.GetElapsedTime(start));
        ReadOn();
    }

    // A state that is kept is looked at by nobody else.
    private long KeptFor(EngineOptions options) => options.CachedPrompts == 0 ? 0
        : _model.Shape.IsRecurrent ? long.MaxValue
        : options.CachedFor ?? (_store is null ? SequenceTable.KeptAtMost : KeptUntilSaved);

    private void Measure(TimeSpan step)
    {
        if (_planner.Guessed == 0)
            _pacing.Add(_planner.Answers, _batch.Count - _planner.Answers, step);
        else
            _pacing.Forget();
        if (_planner.IsAnswersAlone)
            _drafts.Add(_batch.Count, step);
    }

    private bool DecodeParts(IReadOnlyList<StepPart> parts)
    {
        DecodeOutcome? outcome = Decode(parts);
        if (outcome == DecodeOutcome.NoKvSlot && _planner.Guessed > 0)
        {
            parts = _planner.Plan(_running, _batch, _pacing, mayGuess: false);
            outcome = Decode(parts);
        }
        // What is kept for later goes before what runs now.
        while (outcome == DecodeOutcome.NoKvSlot && _sequences.ForgetOldest())
            outcome = Decode(parts);
        if (outcome == DecodeOutcome.NoKvSlot)
            MakeRoom();
        if (outcome != DecodeOutcome.Ok)
            return false;
        _sampling.Choose(parts);
        foreach (StepPart part in parts)
            Advance(part);
        return true;
    }

    public void EndAll(EndReason reason, string? error)
    {
        foreach (EngineJob job in _running.Concat(_waiting).ToArray())
            End(job, reason, error);
    }

    public void Dispose()
    {
        _stage?.Dispose();
        _store?.Dispose();
        _context.Dispose();
    }

    private void EndCancelled()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            if (_running[i].Cancellation.IsCancellationRequested)
                End(_running[i], EndReason.Cancelled, null);
        }
        for (LinkedListNode<EngineJob>? node = _waiting.First, next; node is not null; node = next)
        {
            next = node.Next;
            if (node.Value.Cancellation.IsCancellationRequested)
                End(node.Value, EndReason.Cancelled, null);
        }
    }

    // First come, first served: nobody overtakes a job that has to wait for room.
    private void Admit()
    {
        // Counted in tokens there may be room: a sliding window cannot forget what others share, and who comes back shares it again.
        while (_waiting.First is { } first && _running.Count < _slots && (!_isFull || _running.Count == 0) && HasRoomFor(first.Value) && !IsBeginningLoading(first.Value))
        {
            _waiting.RemoveFirst();
            Sequence sequence = _sequences.Rent(first.Value.Partition, first.Value.Tokens);
            first.Value.Admit(sequence, _sequences.CanLoad(sequence, first.Value.Tokens), _time);
            _running.Add(first.Value);
        }
    }

    // By another one: it shares that soon, instead of loading it too.
    private bool IsBeginningLoading(EngineJob job) =>
        _running.Exists(other => other.IsLoading && other.Partition == job.Partition && MemoryExtensions.CommonPrefixLength(other.Tokens, job.Tokens) > other.Sequence!.Length);

    // Beside answers for a part of the time that prompts have there, and a block at least; else all at once.
    private void Load()
    {
        if (!_running.Exists(static job => job.IsLoading))
            return;
        long start = _time.GetTimestamp();
        int answers = _running.Count(static job => !job.IsLoading && job.Pending == 1);
        TimeSpan slice = answers == 0 ? TimeSpan.MaxValue : _pacing.Slice(answers, prompts: 1) / 2;
        do
        {
            if (_running.Find(static job => job.IsLoading) is not { } job)
                return;
            // Without room for it, it is read like any other prompt, which makes some.
            if (!_sequences.Load(job.Sequence!, job.Tokens))
                job.Loaded();
        }
        while (_time.GetElapsedTime(start) < slice);
    }

    // With a token more for each slot: a job that was put out must not come back before there is room for it to go on.
    private bool HasRoomFor(EngineJob job) => _running.Count == 0
        || _running.Sum(static running => (long)running.Length) + job.Length + _slots <= _context.Capacity;

    private void ReadOn()
    {
        // Whoever was read there may have been put out meanwhile.
        if (_stage is not { Job: { } job } || _planner.Slice == TimeSpan.Zero)
            return;
        long start = _time.GetTimestamp();
        try
        {
            if (!MovePiece() || _stage.Job is null)
                return;
            TimeSpan left = _planner.Slice - _time.GetElapsedTime(start);
            DecodeOutcome outcome = left > TimeSpan.Zero ? _stage.Read(left) : DecodeOutcome.Ok;
            if (outcome != DecodeOutcome.Ok)
                End(job, EndReason.Failed, $"the decoder refused a batch of a prompt ({outcome})");
        }
        catch (NativeException failure)
        {
            LogDecodeFailed(failure, 1);
            End(job, EndReason.Failed, failure.Message);
        }
    }

    private bool MovePiece()
    {
        while (_stage!.HasPiece && !_stage.Move())
        {
            if (_sequences.ForgetOldest())
                continue;
            MakeRoom();
            return false;
        }
        return true;
    }

    private DecodeOutcome? Decode(IReadOnlyList<StepPart> parts)
    {
        try
        {
            DecodeOutcome outcome = _context.Decode(_batch);
            if (outcome is DecodeOutcome.Ok or DecodeOutcome.NoKvSlot)
                return outcome;
            EndParts(parts, $"the decoder refused a batch of {_batch.Count} tokens ({outcome})");
        }
        catch (NativeException failure)
        {
            LogDecodeFailed(failure, parts.Count);
            EndParts(parts, failure.Message);
        }
        return null;
    }

    private void EndParts(IReadOnlyList<StepPart> parts, string error)
    {
        foreach (StepPart part in parts)
            End(part.Job, EndReason.Failed, error);
    }

    // The youngest starts over when there is room again: it has the least to read twice.
    private void MakeRoom()
    {
        EngineJob youngest = _running[^1];
        if (_running.Count == 1)
        {
            End(youngest, EndReason.Failed, $"no room for {youngest.Length} tokens in a memory of {_context.Capacity}");
            return;
        }
        LogPutOut(youngest.Length, _running.Count);
        _running.Remove(youngest);
        _stage?.Leave(youngest);
        _sequences.Discard(youngest.Leave()!);
        _waiting.AddFirst(youngest);
        _isFull = true;
    }

    private void Advance(StepPart part)
    {
        EngineJob job = part.Job;
        job.Sequence!.Append(job.PendingTokens(part.Count));
        if (part.Output < 0)
            return;
        if (part.Guessed > 0)
            ForgetWrong(job, part.Guessed);
        try
        {
            foreach ((int token, TokenLogprobs? logprobs) in job.Chosen)
            {
                job.Start(_time);
                if (!Write(job, token, logprobs))
                    return;
            }
            job.ThrowIfChoosingFailed();
        }
        catch (GrammarException failure)
        {
            // Every worker would fail at it: it is the request's fault.
            End(job, EndReason.Invalid, $"the grammar {failure.Message}");
        }
#pragma warning disable CA1031 // A sink that throws or a broken logit is this job's failure: the others go on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogJobFailed(failure, job.NextIndex);
            End(job, EndReason.Failed, failure.Message);
        }
    }

    // The sequence has the guess in memory; from the first token on that was not chosen it is wrong.
    private void ForgetWrong(EngineJob job, int guessed)
    {
        Sequence sequence = job.Sequence!;
        int right = sequence.Length + Math.Max(0, job.Chosen.Length - 1);
        sequence.Append(job.Guess[..guessed]);
        if (right == sequence.Length)
            return;
        _sequences.Cut(sequence, right);
        if (sequence.Length == right)
            return;
        // It is all read again then, which costs more than guesses bring.
        _drafts.TurnOff();
        LogNotCut(right);
    }

    /// <returns>Whether the job goes on.</returns>
    private bool Write(EngineJob job, int token, TokenLogprobs? logprobs)
    {
        if (_model.IsEndOfGeneration(token))
        {
            End(job, EndReason.Stop, null);
            return false;
        }
        int index = job.NextIndex;
        if (job.Append(token) is { } unmoved)
            _sequences.Cut(job.Sequence!, unmoved);
        job.Sink.Write(index, token, _model.Piece(token).Span, logprobs);
        if (!job.IsAtLimit)
            return true;
        End(job, EndReason.Length, null);
        return false;
    }

    private void End(EngineJob job, EndReason reason, string? error)
    {
        if (_running.Remove(job))
            _isFull = false;
        else
            _waiting.Remove(job);
        _stage?.Leave(job);
        if (job.Leave() is { } sequence)
            Return(sequence, isSound: reason != EndReason.Failed);
        job.Dispose();
        job.Finish(reason, error, _time);
    }

    // After a failure it may be half read, or hold what made the failure.
    private void Return(Sequence sequence, bool isSound)
    {
        if (isSound)
            _sequences.Keep(sequence);
        else
            _sequences.Discard(sequence);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A decode step of {Jobs} jobs failed; they end")]
    private partial void LogDecodeFailed(Exception failure, int jobs);

    [LoggerMessage(Level = LogLevel.Error, Message = "A job failed at token {Index} of its answer")]
    private partial void LogJobFailed(Exception failure, int index);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This model's memory cannot be cut: {Tokens} tokens are read again, and no more tokens are guessed")]
    private partial void LogNotCut(int tokens);

    [LoggerMessage(Level = LogLevel.Information, Message = "Memory is full: a job of {Tokens} tokens is put out and starts over later ({Jobs} jobs running)")]
    private partial void LogPutOut(int tokens, int jobs);
}

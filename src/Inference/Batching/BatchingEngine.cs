using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Runs jobs of one model, many at a time, on a thread of its own that owns the native context. Callers tokenize on
/// their own thread and hand the job over; it joins at the next decode step.
/// </summary>
internal sealed partial class BatchingEngine : IInferenceEngine
{
    private readonly INativeModel _model;
    private readonly INativeContext _context;
    private readonly DecodeLoop _loop;
    private readonly JobReader _reader;
    private readonly ILogger _logger;
    private readonly Channel<EngineJob> _inbox = Channel.CreateUnbounded<EngineJob>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _wake = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _brokenSource = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private volatile string? _broken;

    /// <summary>Owns model and context from here on.</summary>
    public BatchingEngine(INativeModel model, INativeContext context, int contextPerSlot, EngineOptions options, TimeProvider time, ILogger logger)
    {
        _model = model;
        _context = context;
        _logger = logger;
        ContextPerSlot = contextPerSlot;
        Slots = context.SequenceCount;
        _reader = new JobReader(model, contextPerSlot);
        _loop = new DecodeLoop(model, context, options, time, logger);
        new Thread(Run) { Name = "decode", IsBackground = true }.Start();
    }

    public int Slots { get; }

    /// <summary>Most tokens of context that a job gets.</summary>
    public int ContextPerSlot { get; }

    public long Steps => _loop.Steps;

    public bool IsContinuable => true;

    public Task Broken => _brokenSource.Task;

    public async ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return new AttemptEnd { Reason = EndReason.Cancelled };
        if (_stopping)
            return NotTaken();
        EngineJob? job;
        try
        {
            // Tokenizing a long prompt takes a while, and the caller may be a loop with other things to do.
            (job, AttemptEnd? end) = await Task.Run(() => _reader.Read(request, sink, cancellationToken), CancellationToken.None);
            if (job is null)
                return end!;
        }
        catch (ObjectDisposedException)
        {
            return NotTaken();
        }
        catch (NativeException failure)
        {
            LogPromptFailed(failure);
            return new AttemptEnd { Reason = EndReason.Failed, Error = failure.Message };
        }
        return await RunAsync(job);
    }

    public ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Invalid, Error = "this engine does not embed" });

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _inbox.Writer.TryComplete();
        _wake.Release();
        await _ended.Task;
    }

    private async ValueTask<AttemptEnd> RunAsync(EngineJob job)
    {
        if (!_inbox.Writer.TryWrite(job))
        {
            job.Dispose();
            return NotTaken();
        }
        _wake.Release();
        await using CancellationTokenRegistration registration = job.Cancellation.Register(() => _wake.Release());
        return await job.End;
    }

    private AttemptEnd NotTaken() => _broken is { } error
        ? new AttemptEnd { Reason = EndReason.Failed, Error = $"the engine has stopped: {error}" }
        : new AttemptEnd { Reason = EndReason.HandedBack };

    private void Run()
    {
        try
        {
            while (!_stopping)
                RunOnce();
        }
#pragma warning disable CA1031 // The thread's end: whatever it is, the waiting jobs must hear of it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogBroken(failure);
            _broken = failure.Message;
            _brokenSource.SetResult();
        }
        Close();
    }

    private void RunOnce()
    {
        while (_inbox.Reader.TryRead(out EngineJob? job))
            _loop.Enqueue(job);
        if (_loop.IsIdle)
            _wake.Wait();
        else
            _loop.Step();
    }

    private void Close()
    {
        _stopping = true;
        _inbox.Writer.TryComplete();
        while (_inbox.Reader.TryRead(out EngineJob? job))
            _loop.Enqueue(job);
        EndReason reason = _broken is null ? EndReason.HandedBack : EndReason.Failed;
        try
        {
            _loop.EndAll(reason, _broken);
        }
        finally
        {
            _context.Dispose();
            _model.Dispose();
            _ended.SetResult();
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The decode thread has ended by an exception; the engine takes no more jobs")]
    private partial void LogBroken(Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "A prompt could not be read")]
    private partial void LogPromptFailed(Exception failure);
}

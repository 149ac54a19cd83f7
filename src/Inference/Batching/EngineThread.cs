using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>A thread of its own for a loop: it sleeps while there are no jobs, and whatever ends it, the jobs hear of it.</summary>
internal sealed partial class EngineThread<TJob> : IAsyncDisposable
    where TJob : class, IEngineJob
{
    private readonly Func<IEngineLoop<TJob>> _make;
    private readonly TaskCompletionSource _engineBroken;
    private readonly ILogger _logger;
    private readonly Channel<TJob> _inbox = Channel.CreateUnbounded<TJob>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _wake = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IEngineLoop<TJob>? _loop;
    private volatile bool _stopping;
    private volatile string? _broken;

    /// <param name="name">The thread's.</param>
    /// <param name="make">Makes the loop, on the thread; it is the thread's from there on.</param>
    /// <param name="engineBroken">Completed when an exception ends the loop.</param>
    /// <param name="logger">For what ends it.</param>
    public EngineThread(string name, Func<IEngineLoop<TJob>> make, TaskCompletionSource engineBroken, ILogger logger)
    {
        _make = make;
        _engineBroken = engineBroken;
        _logger = logger;
        new Thread(Run) { Name = name, IsBackground = true }.Start();
    }

    public long Steps => _loop?.Steps ?? 0;

    public bool IsStopping => _stopping;

    /// <summary>There was no loop to be made: its jobs have failed, and nothing else has. Another thread may have more luck.</summary>
    public bool HasNotBegun => _broken is not null && _loop is null;

    /// <summary>Runs a job to its end.</summary>
    public async ValueTask<AttemptEnd> RunAsync(TJob job)
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

    /// <summary>How a job ends that comes too late.</summary>
    public AttemptEnd NotTaken() => _broken is { } error
        ? new AttemptEnd { Reason = EndReason.Failed, Error = _loop is null ? error : $"the engine has stopped: {error}" }
        : new AttemptEnd { Reason = EndReason.HandedBack };

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _inbox.Writer.TryComplete();
        _wake.Release();
        await _ended.Task;
    }

    private void Run()
    {
        try
        {
            IEngineLoop<TJob> loop = _make();
            _loop = loop;
            while (!_stopping)
                RunOnce(loop);
        }
#pragma warning disable CA1031 // The thread's end: whatever it is, the waiting jobs must hear of it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _broken = failure.Message;
            if (HasNotBegun)
            {
                LogNotBegun(failure);
            }
            else
            {
                LogBroken(failure);
                _engineBroken.TrySetResult();
            }
        }
        Close();
    }

    private void RunOnce(IEngineLoop<TJob> loop)
    {
        while (_inbox.Reader.TryRead(out TJob? job))
            loop.Enqueue(job);
        if (loop.IsIdle)
            _wake.Wait();
        else
            loop.Step();
    }

    private void Close()
    {
        _stopping = true;
        _inbox.Writer.TryComplete();
        EndReason reason = _broken is null ? EndReason.HandedBack : EndReason.Failed;
        try
        {
            while (_inbox.Reader.TryRead(out TJob? job))
                EndLate(job, reason);
            _loop?.EndAll(reason, _broken);
        }
        finally
        {
            _loop?.Dispose();
            _ended.SetResult();
        }
    }

    private void EndLate(TJob job, EndReason reason)
    {
        job.Finish(new AttemptEnd { Reason = reason, Error = _broken });
        job.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The engine's thread has ended by an exception; it takes no more jobs")]
    private partial void LogBroken(Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "A thread of the engine could not begin; the next job tries it again")]
    private partial void LogNotBegun(Exception failure);
}

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Background;

/// <summary>The background jobs on this worker. Each holds a slot from its message's being taken to its decoder's end.</summary>
internal sealed partial class BackgroundRunner : IDisposable
{
    private readonly WorkerDispatcher _dispatcher;
    private readonly AttemptRunner _runner;
    private readonly WorkerIdentity _identity;
    private readonly EdgeClient _edge;
    private readonly SignalRSender _sender;
    private readonly SignedStorage _storage;
    private readonly TimeProvider _time;
    private readonly ILogger<BackgroundRunner> _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<BackgroundRun, Task> _runs = [];

    public BackgroundRunner(
        WorkerDispatcher dispatcher,
        AttemptRunner runner,
        WorkerIdentity identity,
        EdgeClient edge,
        SignalRSender sender,
        SignedStorage storage,
        TimeProvider time,
        ILogger<BackgroundRunner> logger)
    {
        _dispatcher = dispatcher;
        _runner = runner;
        _identity = identity;
        _edge = edge;
        _sender = sender;
        _storage = storage;
        _time = time;
        _logger = logger;
        dispatcher.HandingBack += HandBackAll;
    }

    /// <summary>A message was taken from a queue; a slot is held for it already.</summary>
    public void Take(QueuedJob job, QueueHold hold)
    {
        var run = new BackgroundRun(job, hold, _runner, _identity, _edge, _sender, _storage, _dispatcher.Freed, _time, _logger);
        // Added before it can end, so that its end finds it.
        var begun = new TaskCompletionSource();
        _runs[run] = RunAsync(run, begun.Task);
        begun.SetResult();
    }

    public void Stopped(StopMessage stop)
    {
        foreach (BackgroundRun run in _runs.Keys)
            run.Stop(stop.Nonce);
    }

    public void Watched(WatchMessage watch)
    {
        foreach (BackgroundRun run in _runs.Keys)
            run.Watch(watch.JobId);
    }

    /// <summary>The slots may be free already; this waits for the last lines to be in storage.</summary>
    public async Task WaitUntilWrittenAsync(TimeSpan patience)
    {
        Task written = Task.WhenAll(_runs.Values);
        await written.WaitAsync(patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!written.IsCompleted)
            LogNotWritten(_runs.Count);
    }

    /// <summary>Ends everything at once, as a kill would; what is not written is another worker's to do.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_runs.Values);
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync(BackgroundRun run, Task begun)
    {
        await begun;
        try
        {
            await run.RunAsync(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // One job's surprise must not end the others. Its message shows again, and another try begins.
            LogUnexpected(e, run.JobId);
        }
        finally
        {
            run.ReleaseSlot();
            _runs.TryRemove(run, out _);
            run.Dispose();
        }
    }

    private void HandBackAll()
    {
        foreach (BackgroundRun run in _runs.Keys)
            run.HandBack();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected failure of background job {Job}")]
    private partial void LogUnexpected(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} background jobs were not written to their end when the worker left")]
    private partial void LogNotWritten(int count);
}

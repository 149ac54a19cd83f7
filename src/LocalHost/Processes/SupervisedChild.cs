using Microsoft.Extensions.Logging;

namespace OllamaMax.LocalHost.Processes;

/// <summary>Keeps one child running: starts it again, with backoff, whenever it ends by itself. One loop owns it.</summary>
internal sealed partial class SupervisedChild : IAsyncDisposable
{
    private readonly ChildSpec _spec;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<int> _firstExit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;
    private volatile ChildProcess? _current;

    public SupervisedChild(ChildSpec spec, ILogger logger, TimeProvider time)
    {
        _spec = spec;
        _logger = logger;
        _time = time;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Null between an end and the next start.</summary>
    public int? Pid => _current?.Pid;

    /// <summary>The exit code of the first process; its last line was forwarded before. Fails when it could not be started at all.</summary>
    public Task<int> FirstExit => _firstExit.Task;

    /// <summary>Asks the child to end, kills it after its grace, and starts it no more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        RestartBackoff backoff = new();
        try
        {
            while (true)
            {
                long start = _time.GetTimestamp();
                string end = await RunOnceAsync();
                if (_spec.AllEnd.IsCancellationRequested || !_spec.StartAgain())
                    return;
                TimeSpan delay = backoff.Next(_time.GetElapsedTime(start));
                LogEnded(_spec.Name, end, delay.TotalSeconds);
                await Task.Delay(delay, _time, _stop.Token);
                if (_spec.AllEnd.IsCancellationRequested)
                    return;
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed: there is nothing left to keep running.
        }
    }

    /// <returns>How it ended, for the log.</returns>
    private async Task<string> RunOnceAsync()
    {
        ChildProcess child;
        try
        {
            child = ChildProcess.Start(await _spec.Command(_stop.Token), _spec.OnLine, _spec.OnLine, _time);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stop.IsCancellationRequested)
        {
            _firstExit.TrySetException(e);
            return $"could not be started: {e.Message}";
        }
        await using (child)
        {
            _current = child;
            _spec.OnStarted(child.Pid);
            await StopOrExitAsync(child);
            _current = null;
        }
        int exitCode = await child.Exit;
        _firstExit.TrySetResult(exitCode);
        _stop.Token.ThrowIfCancellationRequested();
        return $"ended with exit code {exitCode}";
    }

    private async Task StopOrExitAsync(ChildProcess child)
    {
        try
        {
            await child.Exit.WaitAsync(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            await child.StopAsync(_spec.StopGrace);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name} {End}; starting it again in {Delay:0.##} s")]
    private partial void LogEnded(string name, string end, double delay);
}

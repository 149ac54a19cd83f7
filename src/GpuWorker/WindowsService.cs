using System.Diagnostics;
using System.Runtime.Versioning;
using System.ServiceProcess;

namespace OllamaMax.GpuWorker;

/// <summary>The worker under Windows' service manager: a stop drains it, as SIGTERM does elsewhere.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsService : ServiceBase
{
    /// <summary>As packaging/windows/install.ps1 names it.</summary>
    public const string Name = "OllamaMaxWorker";

    /// <summary>What handing back, the last heartbeat and the models' ends take after the drain.</summary>
    private static readonly TimeSpan Ending = TimeSpan.FromSeconds(30);

    private readonly Func<CancellationToken, Task<int>> _run;
    private readonly TimeSpan _drainTimeout;
    private readonly CancellationTokenSource _drain = new();
    private Task<int> _running = Task.FromResult(0);

    /// <param name="run">Runs until it is told to drain; answers the exit code.</param>
    /// <param name="drainTimeout">What it may take from then on.</param>
    public WindowsService(Func<CancellationToken, Task<int>> run, TimeSpan drainTimeout)
    {
        _run = run;
        _drainTimeout = drainTimeout;
        ServiceName = Name;
        CanShutdown = true;
    }

    protected override void OnStart(string[] args)
    {
        _running = Task.Run(() => _run(_drain.Token));
        _ = _running.ContinueWith(_ => EndedByItself(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    protected override void OnStop()
    {
        if (_running.IsCompleted)
            return;
        RequestAdditionalTime(_drainTimeout + Ending);
        _drain.Cancel();
        ExitCode = _running.GetAwaiter().GetResult();
    }

    protected override void OnShutdown() => OnStop();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _drain.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The manager starts it again where the exit code is not 0, which a worker that nobody stopped always owes.</summary>
    private void EndedByItself()
    {
        if (_drain.IsCancellationRequested)
            return;
        if (_running.Exception is { } surprise)
            EventLog.WriteEntry(surprise.ToString(), EventLogEntryType.Error);
        ExitCode = _running.IsCompletedSuccessfully && _running.Result != 0 ? _running.Result : 1;
        Stop();
    }
}

using System.Diagnostics;

namespace OllamaMax.LocalHost.Processes;

/// <summary>
/// One running child. Its standard input is its life line: we hold the other end and never write to it, so however this
/// process ends, kill -9 included, the child reads the end of its input and goes too.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>How long output is waited for after the exit: a grandchild may hold the pipe open for ever.</summary>
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly bool _endsWithInput;
    private readonly TimeProvider _time;
    private readonly Task _output;

    private ChildProcess(Process process, bool endsWithInput, Action<string> onLine, Action<string> onErrorLine, TimeProvider time)
    {
        _process = process;
        _endsWithInput = endsWithInput || OperatingSystem.IsWindows();
        _time = time;
        Pid = process.Id;
        _output = Task.WhenAll(ForwardAsync(process.StandardOutput, onLine), ForwardAsync(process.StandardError, onErrorLine));
        Exit = WaitAsync();
    }

    public int Pid { get; }

    /// <summary>The exit code, once it has ended and its last lines were forwarded; 128 + n after signal n.</summary>
    public Task<int> Exit { get; }

    /// <param name="command">What to start.</param>
    /// <param name="onLine">Takes each line of output, on any thread; must not throw.</param>
    /// <param name="onErrorLine">Takes each line of standard error, possibly while the other runs; must not throw.</param>
    /// <param name="time">The clock of waits.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The program cannot be started.</exception>
    public static ChildProcess Start(ChildCommand command, Action<string> onLine, Action<string> onErrorLine, TimeProvider time)
    {
        ProcessStartInfo start = new(command.FileName, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in command.Environment)
            start.Environment[name] = value;
        return new(Process.Start(start)!, command.EndsWithInput, onLine, onErrorLine, time);
    }

    /// <summary>Asks it to end (SIGTERM; the end of its input on Windows, or where that is the <see cref="ChildCommand.EndsWithInput">way</see>), and kills it when it has not after <paramref name="grace"/>.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        if (Exit.IsCompleted)
            return;
        if (_endsWithInput)
            _process.StandardInput.Close();
        else
            UnixSignals.Terminate(Pid);
        try
        {
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(grace, _time);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
        }
        await Exit;
    }

    public async ValueTask DisposeAsync()
    {
        if (!Exit.IsCompleted)
            _process.Kill(entireProcessTree: true);
        await Exit;
        _process.Dispose();
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        await Task.WhenAny(_output, Task.Delay(OutputGrace, _time));
        return _process.ExitCode;
    }

    private static async Task ForwardAsync(StreamReader reader, Action<string> onLine)
    {
        while (await reader.ReadLineAsync() is { } line)
            onLine(line);
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// The operating system's side of a model's process: this program with another command, frames over its standard input and output, its
/// standard error for the log. Its input is its life line as well: however this process ends, that one reads the end of it and goes.
/// </summary>
internal sealed class ModelProcess : IDisposable
{
    private const int KillSignal = 9;

    private readonly Process _process;

    private ModelProcess(Process process, Action<string> onErrorLine)
    {
        _process = process;
        Pid = process.Id;
        Exit = WaitAsync(ForwardAsync(process.StandardError, onErrorLine));
    }

    public int Pid { get; }

    /// <summary>How it ended. Its last line was forwarded before.</summary>
    public Task<ProcessEnd> Exit { get; }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    /// <param name="onErrorLine">Takes each line of standard error, on any thread; must not throw.</param>
    /// <param name="command">Of this program.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    public static ModelProcess Start(Action<string> onErrorLine, string command = EngineCommand.Name)
    {
        ProcessStartInfo start = Command();
        start.ArgumentList.Add(command);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        ModelEnvironment.Apply(start.Environment);
        return new(Process.Start(start)!, onErrorLine);
    }

    public void Kill()
    {
        try
        {
            if (!Exit.IsCompleted)
                _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself in the meantime.
        }
    }

    public void Dispose() => _process.Dispose();

    /// <summary>This program: published as one file, or an assembly that <c>dotnet</c> runs, possibly from within a test.</summary>
    private static ProcessStartInfo Command()
    {
        string assembly = typeof(ModelProcess).Assembly.GetName().Name!;
        // Not without its extension: on Linux that of our own tests is ".Tests".
        if (Environment.ProcessPath is { } self && Path.GetFileName(self) == assembly + (OperatingSystem.IsWindows() ? ".exe" : ""))
            return new ProcessStartInfo(self);
        var start = new ProcessStartInfo(DotnetHost());
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        return start;
    }

    /// <summary>The program that runs us: <c>dotnet</c> need not be on the PATH.</summary>
    private static string DotnetHost()
    {
        string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        string beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }

    private async Task<ProcessEnd> WaitAsync(Task errors)
    {
        await _process.WaitForExitAsync();
        await errors;
        int code = _process.ExitCode;
        return code > 128 && !OperatingSystem.IsWindows()
            ? new ProcessEnd($"signal {code - 128}", WasKilled: code - 128 == KillSignal)
            : new ProcessEnd($"exit code {code}", WasKilled: false);
    }

    private static async Task ForwardAsync(StreamReader reader, Action<string> onLine)
    {
        while (await reader.ReadLineAsync() is { } line)
            onLine(line);
    }
}

/// <param name="How">For people: <c>signal 6</c> or <c>exit code 1</c>.</param>
/// <param name="WasKilled">From outside, as far as can be told: by a person, or by the system when memory runs out.</param>
internal sealed record ProcessEnd(string How, bool WasKilled);

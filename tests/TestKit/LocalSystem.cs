using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.TestKit;

/// <summary>The real local host in a process of its own, as a user starts it, on a free port and with data of its own.</summary>
public sealed partial class LocalSystem : IAsyncDisposable
{
    private const string SaysKey = "admin key ";

    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    private readonly TempFolder? _ownData;
    private readonly ChildProcess _process;
    private readonly LineLog _output = new();
    private readonly LineLog _errors = new();
    private Uri? _baseAddress;

    private LocalSystem(LocalSystemOptions options)
    {
        _ownData = options.Data is null ? new TempFolder() : null;
        Data = options.Data ?? _ownData!.Path;
        _process = ChildProcess.Start(Command(options, Data), line => Take(_output, line), line => Take(_errors, line), TimeProvider.System);
        _ = EndLogsAsync();

        void Take(LineLog log, string line)
        {
            options.OnLine(line);
            log.Add(line);
        }
    }

    /// <summary>Where the edge listens, once it is ready.</summary>
    public Uri BaseAddress => _baseAddress ?? throw new InvalidOperationException("It is not ready.");

    /// <summary>The key that the first start with <c>--require-keys</c> says.</summary>
    public string AdminKey => _output.Lines.Single(line => line.StartsWith(SaysKey, StringComparison.Ordinal))[SaysKey.Length..];

    /// <summary>Folder of all state.</summary>
    public string Data { get; }

    /// <summary>Process id of the local host, or of its launcher.</summary>
    public int Pid => _process.Pid;

    /// <summary>Process ids of the workers as last started, in the order of their names.</summary>
    public IReadOnlyList<int> WorkerPids => [.. _output.Lines
        .Select(line => WorkerStarted().Match(line))
        .Where(match => match.Success)
        .GroupBy(match => Number(match.Groups[1]), match => Number(match.Groups[2]))
        .OrderBy(worker => worker.Key)
        .Select(worker => worker.Last())];

    /// <summary>Standard output; ends with the process.</summary>
    public LineLog Output => _output;

    /// <summary>Standard error; ends with the process.</summary>
    public LineLog Errors => _errors;

    /// <summary>The exit code, once it has ended.</summary>
    public Task<int> Exit => _process.Exit;

    /// <summary>Starts it and waits for its <c>ready</c> line.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message has its lines.</exception>
    public static async Task<LocalSystem> StartAsync(LocalSystemOptions options, CancellationToken cancellationToken)
    {
        LocalSystem system = Launch(options);
        try
        {
            const string Ready = "ready ";
            string line = await system._output.WaitForAsync(l => l.StartsWith(Ready, StringComparison.Ordinal), cancellationToken);
            system._baseAddress = new(line[Ready.Length..]);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it and waits for nothing.</summary>
    public static LocalSystem Launch(LocalSystemOptions options) => new(options);

    /// <summary>kill -9, of this process alone.</summary>
    public static void Kill(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        process.Kill();
    }

    /// <summary>SIGTERM, to this process alone.</summary>
    public static void Terminate(int pid) => UnixSignals.Terminate(pid);

    /// <summary>Ctrl-C, for this process alone.</summary>
    public static void Interrupt(int pid) => UnixSignals.Interrupt(pid);

    /// <summary>SIGSTOP, to this process alone.</summary>
    public static void Suspend(int pid) => UnixSignals.Suspend(pid);

    /// <summary>SIGCONT, to this process alone.</summary>
    public static void Resume(int pid) => UnixSignals.Resume(pid);

    /// <summary>SIGTERM, and the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await _process.StopAsync(StopGrace);
        return await Exit;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _process.DisposeAsync();
        _ownData?.Dispose();
    }

    private static ChildCommand Command(LocalSystemOptions options, string data)
    {
        List<string> command = [.. options.Launcher ?? ["dotnet", Path.Combine(AppContext.BaseDirectory, "OllamaMax.LocalHost.dll")]];
        command.AddRange("--port", Text(options.Port), "--data", data, "--workers", Text(options.Workers));
        if (options.Model is { } model)
            command.AddRange("--model", model);
        // A test run that is killed leaves no local host behind.
        command.Add("--stdin-lifeline");
        command.AddRange(options.MoreArguments);
        return new(command[0], command[1..]) { Environment = options.Environment };
    }

    private async Task EndLogsAsync()
    {
        string reason = $"The local host ended with exit code {await Exit}.";
        _output.End($"{reason} {string.Join('\n', _errors.Lines)}");
        _errors.End(reason);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("^worker-([0-9]+) started, pid ([0-9]+)$")]
    private static partial Regex WorkerStarted();
}

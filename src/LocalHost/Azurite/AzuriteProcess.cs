using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost.Azurite;

/// <summary>Azurite's blob, queue and table services in a child process; started again, on the same ports and data, when it ends by itself.</summary>
public sealed partial class AzuriteProcess : IAsyncDisposable
{
    private const int LinesKept = 20;

    /// <summary>Variable with Azurite's accounts and their keys.</summary>
    private const string Accounts = "AZURITE_ACCOUNTS";

    private readonly AzuriteOptions _options;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = [];
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SupervisedChild _child;
    private AzuriteEndpoints _seen = new(0, 0, 0);
    private AzuriteEndpoints? _endpoints;

    private AzuriteProcess(AzuriteOptions options, ILogger logger, TimeProvider time)
    {
        _options = options;
        _logger = logger;
        ChildSpec spec = new()
        {
            Name = "azurite",
            Command = _ => new(Command()),
            OnLine = OnLine,
            OnStarted = OnStarted,
            // What never listened would not the next time either: the start fails instead.
            StartAgain = () => _listening.Task.IsCompleted,
            StopGrace = StopGraces.Azurite,
        };
        _child = new(spec, logger, time);
    }

    /// <summary>The ports and the key, the same for as long as this lives.</summary>
    public AzuriteEndpoints Endpoints => _endpoints!;

    public string ConnectionString => Endpoints.ConnectionString;

    /// <summary>Null between an end and the next start.</summary>
    public int? Pid => _child.Pid;

    /// <summary>Starts Azurite and waits until its three services listen.</summary>
    /// <exception cref="StartException">It ended instead: a busy port, a folder that cannot be written.</exception>
    public static async Task<AzuriteProcess> StartAsync(
        AzuriteOptions options, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        AzuriteProcess azurite = new(options, logger, time);
        try
        {
            await Task.WhenAny(azurite._listening.Task, azurite._child.FirstExit).WaitAsync(cancellationToken);
            if (!azurite._listening.Task.IsCompleted)
                throw new StartException($"Azurite did not start: {await azurite.FailureAsync()}");
            return azurite;
        }
        catch
        {
            await azurite.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private ChildCommand Command()
    {
        AzuriteEndpoints ports = _endpoints ?? new(_options.BlobPort, _options.QueuePort, _options.TablePort);
        List<string> arguments =
        [
            "--require", Path.Combine(AppContext.BaseDirectory, "azurite-preload.cjs"),
            Path.Combine(_options.RepositoryRoot, "node_modules", "azurite", "dist", "src", "azurite.js"),
            "--blobPort", Text(ports.BlobPort), "--queuePort", Text(ports.QueuePort), "--tablePort", Text(ports.TablePort),
            "--skipApiVersionCheck", "--disableTelemetry", "--silent",
        ];
        arguments.AddRange(_options.Location is { } folder ? ["--location", folder] : ["--inMemoryPersistence"]);
        if (_options.DebugLog is { } file)
            arguments.AddRange("--debug", file);
        return new(_options.Node, arguments)
        {
            EndsWithInput = true,
            Environment = _options.Key is { } key ? new Dictionary<string, string?> { [Accounts] = $"{AzuriteEndpoints.Account}:{key}" } : [],
        };

        static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
    }

    private void OnStarted(int pid)
    {
        lock (_lock)
            _seen = new(0, 0, 0);
        LogStarted(pid);
    }

    private void OnLine(string line)
    {
        LogLine(line);
        lock (_lock)
        {
            if (_lines.Count == LinesKept)
                _lines.Dequeue();
            _lines.Enqueue(line);
            _seen = _seen.With(line);
            if (!_seen.AreKnown || _endpoints is not null)
                return;
            _endpoints = _options.Key is { } key ? _seen with { Key = key } : _seen;
        }
        _listening.SetResult();
    }

    private async Task<string> FailureAsync()
    {
        int exitCode = await _child.FirstExit;
        lock (_lock)
        {
            string? error = _lines.LastOrDefault(line => line.StartsWith("Exit due to", StringComparison.Ordinal)) ?? _lines.LastOrDefault();
            return error is not null && BusyPort().Match(error) is { Success: true } busy
                ? $"port {busy.Groups[1].Value} is busy; stop what listens there (another Azurite?)"
                : $"{error ?? "it said nothing"} (exit code {exitCode})";
        }
    }

    [GeneratedRegex("EADDRINUSE.*:([0-9]+)")]
    private static partial Regex BusyPort();

    [LoggerMessage(Level = LogLevel.Debug, Message = "azurite started, pid {Pid}")]
    private partial void LogStarted(int pid);

    [LoggerMessage(Level = LogLevel.Debug, Message = "azurite: {Line}")]
    private partial void LogLine(string line);
}

using Microsoft.Extensions.Logging;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost;

/// <summary>Several edges over one storage, each a process of its own that is started again, on its port, when it ends.</summary>
internal sealed class EdgePool : IAsyncDisposable
{
    private readonly IReadOnlyList<Seat> _seats;

    private EdgePool(IReadOnlyList<Seat> seats) => _seats = seats;

    /// <summary>In their order, with real ports: the clients' way in, and our own.</summary>
    public IReadOnlyList<(Uri Public, Uri Own)> Addresses => [.. _seats.Select(seat => seat.Listening.Result)];

    /// <summary>Starts them and waits until all listen; at the shutdown none is started any more.</summary>
    /// <exception cref="StartException">One ended instead.</exception>
    public static async Task<EdgePool> StartAsync(
        LocalHostOptions options, LocalStorage storage, LocalSignalR signalR, Action<string> say, ILogger logger, TimeProvider time, CancellationToken shutdown)
    {
        Dictionary<string, string?> environment = new() { [LocalStorage.Setting] = storage.ConnectionString, [LocalSignalR.Setting] = signalR.ConnectionString, [EdgeCommand.ContentKeySetting] = options.ContentKey };
        EdgePool pool = new([.. options.EdgePorts.Select((port, index) => new Seat($"edge-{index + 1}", port, options, environment, say, logger, time, shutdown))]);
        try
        {
            await Task.WhenAll(pool._seats.Select(seat => seat.WaitUntilListeningAsync(shutdown)));
            return pool;
        }
        catch
        {
            await pool.DisposeAsync();
            throw;
        }
    }

    /// <summary>All at once: together they have the grace of one.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_seats.Select(seat => seat.DisposeAsync().AsTask()));

    private sealed class Seat : IAsyncDisposable
    {
        private readonly TaskCompletionSource<(Uri Public, Uri Own)> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly int _port;
        private readonly LocalHostOptions _options;
        private readonly IReadOnlyDictionary<string, string?> _environment;
        private readonly Action<string> _say;
        private readonly string _name;
        private readonly SupervisedChild _child;
        private volatile string _lastLine = "it said nothing";

        public Seat(
            string name, int port, LocalHostOptions options, IReadOnlyDictionary<string, string?> environment, Action<string> say, ILogger logger, TimeProvider time, CancellationToken shutdown)
        {
            (_name, _port, _options, _environment, _say) = (name, port, options, environment, say);
            ChildSpec spec = new()
            {
                Name = name,
                Command = _ => new(Command()),
                OnStarted = pid => say($"{name} started, pid {pid}"),
                OnLine = OnLine,
                // What never listened would not the next time either: the start fails instead.
                StartAgain = () => Listening.IsCompleted,
                AllEnd = shutdown,
                StopGrace = StopGraces.EdgeProcess,
            };
            _child = new(spec, logger, time);
        }

        /// <summary>Its addresses, the same for as long as this lives.</summary>
        public Task<(Uri Public, Uri Own)> Listening => _listening.Task;

        /// <exception cref="StartException">It ended instead.</exception>
        public async Task WaitUntilListeningAsync(CancellationToken cancellationToken)
        {
            await Task.WhenAny(Listening, _child.FirstExit).WaitAsync(cancellationToken);
            if (!Listening.IsCompleted)
                throw new StartException($"{_name} did not start: {_lastLine} (exit code {await _child.FirstExit})");
        }

        public ValueTask DisposeAsync() => _child.DisposeAsync();

        private ChildCommand Command()
        {
            (int port, int ownPort) = Listening.IsCompleted ? (Listening.Result.Public.Port, Listening.Result.Own.Port) : (_port, 0);
            return new(WorkerLaunch.DotnetHost, [Path.Combine(AppContext.BaseDirectory, "OllamaMax.LocalHost.dll"), .. EdgeCommand.Arguments(_options, port, ownPort)])
            {
                Environment = _environment,
            };
        }

        private void OnLine(string line)
        {
            _lastLine = line;
            if (line.StartsWith(EdgeCommand.Listens, StringComparison.Ordinal) && line[EdgeCommand.Listens.Length..].Split(' ') is [var clients, var own])
                _listening.TrySetResult((new(clients), new(own)));
            else
                _say($"{_name}: {line}");
        }
    }
}

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.SignalR;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>This edge's ear: the SignalR connection on which workers answer.</summary>
internal sealed partial class EdgeListener : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(1);

    private readonly SignalRListener _listener;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _lostAt;

    public EdgeListener(SignalRHub hub, EdgeIdentity edge, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger<EdgeListener>();
        _time = time;
        _lostAt = time.GetTimestamp();
        _listener = new SignalRListener(_ => new(hub.Negotiate(Users.Edge(edge.Id), TokenLifetime)), time, random, loggers);
        On(Targets.Output, ProtocolJson.Default.WorkerMessage, message => Heard?.Invoke(message));
        On(Targets.Echo, ProtocolJson.Default.EchoMessage, echo => Echoed?.Invoke(echo));
        _listener.StateChanged += state =>
        {
            if (state == ListenerState.Reconnecting)
                Interlocked.Exchange(ref _lostAt, time.GetTimestamp());
        };
    }

    /// <summary>A worker has said something. Called in order, on the connection's own thread.</summary>
    public event Action<WorkerMessage>? Heard;

    /// <summary>What this edge said to itself has come back.</summary>
    public event Action<EchoMessage>? Echoed;

    public bool IsConnected => _listener.State == ListenerState.Connected;

    /// <summary>Waits for the connection; false where it has been missing for longer than <paramref name="patience"/> by then.</summary>
    public async Task<bool> WaitUntilConnectedAsync(TimeSpan patience)
    {
        TimeSpan left = patience - _time.GetElapsedTime(Interlocked.Read(ref _lostAt));
        if (left > TimeSpan.Zero)
        {
            Task connected = _listener.WaitUntilConnectedAsync(CancellationToken.None);
            await connected.WaitAsync(left, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return IsConnected;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await _listener.DisposeAsync();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private void On<T>(string target, JsonTypeInfo<T> type, Action<T> handle) => _listener.On(target, argument =>
    {
        try
        {
            if (argument.Deserialize(type) is { } message)
                handle(message);
        }
        catch (JsonException e)
        {
            LogUnreadable(e, target);
        }
    });

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message ({Target}) cannot be read")]
    private partial void LogUnreadable(Exception exception, string target);
}

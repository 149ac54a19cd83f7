using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.SignalR;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>This edge's ear: the SignalR connection on which workers answer.</summary>
internal sealed partial class EdgeListener : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan AttemptTakes = TimeSpan.FromSeconds(2);

    private readonly SignalRListener _listener;
    private readonly SignalRHub _hub;
    private readonly string _user;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _lostAt;
    private long _heardUnits;

    public EdgeListener(SignalRHub hub, EdgeIdentity edge, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger<EdgeListener>();
        _time = time;
        _lostAt = time.GetTimestamp();
        (_hub, _user) = (hub, Users.Edge(edge.Id));
        _listener = new SignalRListener(_ => new(hub.Negotiate(_user, TokenLifetime)), time, random, loggers);
        On(Targets.Output, ProtocolJson.Default.WorkerMessage, message => Heard?.Invoke(ReportBounds.Check(message)));
        On(Targets.ClusterChanged, ProtocolJson.Default.ClusterChangedMessage, _ => ClusterChanged?.Invoke());
        On(Targets.Echo, ProtocolJson.Default.EchoMessage, echo => Echoed?.Invoke(echo));
        _listener.StateChanged += state =>
        {
            if (state == ListenerState.Reconnecting)
                Interlocked.Exchange(ref _lostAt, time.GetTimestamp());
            // Each time: a service that was started anew has forgotten its groups.
            else if (state == ListenerState.Connected)
                _ = JoinEdgesAsync();
        };
    }

    /// <summary>A worker has said something. Called in order, on the connection's own thread.</summary>
    public event Action<WorkerMessage>? Heard;

    /// <summary>An edge says that the cluster's state has changed.</summary>
    public event Action? ClusterChanged;

    /// <summary>What this edge said to itself has come back.</summary>
    public event Action<EchoMessage>? Echoed;

    /// <summary>
    /// What workers have sent so far, in messages as the service bills them. What edges say is counted where it is sent.
    /// </summary>
    public long HeardUnits => Interlocked.Read(ref _heardUnits);

    public bool IsConnected => _listener.State == ListenerState.Connected;

    /// <summary>
    /// Waits for the connection; false where it has been missing for longer than <paramref name="patience"/> by then, and one more attempt has not brought it back.
    /// </summary>
    public async Task<bool> WaitUntilConnectedAsync(TimeSpan patience)
    {
        Task tried = _listener.TryNowAsync();
        TimeSpan left = patience - _time.GetElapsedTime(Interlocked.Read(ref _lostAt));
        // Missing for long, the service may have come back since the last attempt: what is refused now would be refused for nothing.
        Task awaited = left > AttemptTakes ? _listener.WaitUntilConnectedAsync(CancellationToken.None) : tried;
        await awaited.WaitAsync(left > AttemptTakes ? left : AttemptTakes, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return IsConnected;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await _listener.DisposeAsync();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task JoinEdgesAsync()
    {
        SendOutcome outcome = await _hub.AddToGroupAsync(_user, Users.Edges, CancellationToken.None);
        if (outcome is not SendOutcome.Sent)
            LogNotJoined(outcome);
    }

    private void On<T>(string target, JsonTypeInfo<T> type, Action<T> handle) => _listener.On(target, argument =>
    {
        if (target == Targets.Output)
            Interlocked.Add(ref _heardUnits, SignalRSender.Units(JsonMarshal.GetRawUtf8Value(argument).Length));
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "This edge is not in the group of edges, and hears of changes a little later: {Outcome}")]
    private partial void LogNotJoined(SendOutcome outcome);
}

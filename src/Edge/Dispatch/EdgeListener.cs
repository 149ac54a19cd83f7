using System.Text.Json;
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
    private readonly ILogger _logger;

    public EdgeListener(SignalRHub hub, EdgeIdentity edge, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger<EdgeListener>();
        _listener = new SignalRListener(_ => new(hub.Negotiate(Users.Edge(edge.Id), TokenLifetime)), time, random, loggers);
        _listener.On(Targets.Output, Receive);
    }

    /// <summary>A worker has said something. Called in order, on the connection's own thread.</summary>
    public event Action<WorkerMessage>? Heard;

    public bool IsConnected => _listener.State == ListenerState.Connected;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await _listener.DisposeAsync();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private void Receive(JsonElement argument)
    {
        try
        {
            if (argument.Deserialize(ProtocolJson.Default.WorkerMessage) is { } message)
                Heard?.Invoke(message);
        }
        catch (JsonException e)
        {
            LogUnreadable(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A worker's message cannot be read")]
    private partial void LogUnreadable(Exception exception);
}

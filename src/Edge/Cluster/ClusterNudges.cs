using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Dispatch;
using OllamaMax.SignalR;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster;

/// <summary>Edges tell each other that the cluster's state has changed. A hint: whoever does not hear of it reads the state with its next listing.</summary>
internal sealed partial class ClusterNudges : IDisposable
{
    private readonly SignalRHub _hub;
    private readonly EdgeListener _listener;
    private readonly ClusterWatch _watch;
    private readonly ILogger _logger;

    public ClusterNudges(SignalRHub hub, EdgeListener listener, ClusterWatch watch, ILogger<ClusterNudges> logger)
    {
        (_hub, _listener, _watch, _logger) = (hub, listener, watch, logger);
        listener.ClusterChanged += LookSoon;
    }

    /// <summary>The state has changed, another edge has said, or this one, and it has been read. Called on any thread.</summary>
    public event Action? Nudged;

    /// <param name="version">Of the state now.</param>
    public async Task SendAsync(long version)
    {
        SendOutcome outcome = await _hub.SendToGroupAsync(
            Users.Edges, Targets.ClusterChanged, new ClusterChangedMessage(version), ProtocolJson.Default.ClusterChangedMessage, CancellationToken.None);
        if (outcome is not SendOutcome.Sent)
            LogNotSent(outcome);
    }

    public void Dispose() => _listener.ClusterChanged -= LookSoon;

    private void LookSoon() => _ = LookAsync();

    private async Task LookAsync()
    {
        try
        {
            await _watch.GetAsync(TimeSpan.Zero, CancellationToken.None);
            Nudged?.Invoke();
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogNotRead(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The other edges were not told that the cluster's state has changed, and will read it a little later: {Outcome}")]
    private partial void LogNotSent(SendOutcome outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The cluster's state has changed, and could not be read; a little later again")]
    private partial void LogNotRead(Exception exception);
}

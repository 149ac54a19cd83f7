using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OllamaMax.SignalR;

public enum ListenerState
{
    /// <summary>Not started, or disposed.</summary>
    Disconnected,

    /// <summary>Trying to connect, the first time included.</summary>
    Reconnecting,

    Connected,
}

/// <summary>
/// Listens to a hub, for ever: connects, and connects anew with a fresh <see cref="Negotiation"/> whenever the connection ends.
/// Never invokes, as the serverless mode disconnects who does. Messages sent while it is not connected are lost.
/// Falls back from WebSockets to server-sent events to long polling; proxy settings are the environment's.
/// </summary>
/// <param name="negotiate">Where and with which token to connect; called once for each attempt. What it throws is a failed attempt.</param>
/// <param name="time">Clock of the waits between attempts.</param>
/// <param name="random">Spreads these waits.</param>
/// <param name="loggers">For the listener and the SignalR client in it.</param>
public sealed partial class SignalRListener(
    Func<CancellationToken, ValueTask<Negotiation>> negotiate, TimeProvider time, Random random, ILoggerFactory loggers) : IAsyncDisposable
{
    private static readonly Type[] s_oneArgument = [typeof(JsonElement)];

    /// <summary>Far more than a handshake takes. Where packets are lost in silence, the system would try for two minutes, and who waits for the connection with it.</summary>
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = loggers.CreateLogger<SignalRListener>();
    private readonly ReconnectBackoff _backoff = new(random);
    private readonly Dictionary<string, Action<JsonElement>> _handlers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _connected = NewSource();
    private TaskCompletionSource _tried = NewSource();
    private TaskCompletionSource _wanted = NewSource();
    private Task? _run;

    /// <summary>Called at each change, one at a time, from the listener's own loop: do not block and do not throw.</summary>
    public event Action<ListenerState>? StateChanged;

    public ListenerState State { get; private set; }

    /// <summary>Transports to try; all of them, in the order above, unless set before the start.</summary>
    public HttpTransportType Transports { get; init; } = HttpTransports.All;

    /// <summary>
    /// Registers the one handler of a target; before <see cref="Start"/>. Handlers are called one after the other in the order
    /// in which messages arrive, so a slow one holds up all the others.
    /// </summary>
    public void On(string target, Action<JsonElement> handler)
    {
        if (_run is not null)
            throw new InvalidOperationException("Handlers are registered before the start.");
        _handlers.Add(target, handler);
    }

    public void Start()
    {
        if (_run is not null)
            throw new InvalidOperationException("The listener has been started before.");
        _run = RunAsync(_stop.Token);
    }

    /// <summary>Done as soon as it is connected; cancelled when the listener is disposed.</summary>
    public Task WaitUntilConnectedAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _connected.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Says that somebody waits for the connection: where it is missing, the pause before the next attempt ends early. Done when an attempt, the one under way
    /// or the next one, has connected or failed.
    /// </summary>
    public Task TryNowAsync()
    {
        lock (_lock)
        {
            _wanted.TrySetResult();
            return _tried.Task;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_run is not null)
            await _run.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        // The caller of Start is not to wait for the first attempt.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Change(ListenerState.Reconnecting);
        for (int failures = 0; !stopping.IsCancellationRequested;)
        {
            failures = await ListenOnceAsync(failures, stopping).ConfigureAwait(false) ? 0 : failures + 1;
            await PauseAsync(_backoff.Next(failures), stopping).ConfigureAwait(false);
        }
        Change(ListenerState.Disconnected);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stopping)
    {
        Task wanted;
        lock (_lock)
        {
            wanted = _wanted.Task;
        }
        TimeSpan inAnyCase = pause < ReconnectBackoff.Least ? pause : ReconnectBackoff.Least;
        await Task.Delay(inAnyCase, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (pause > inAnyCase)
            await wanted.WaitAsync(pause - inAnyCase, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <returns>Whether a connection stood, however it ended.</returns>
    private async Task<bool> ListenOnceAsync(int failures, CancellationToken stopping)
    {
        using CancellationTokenSource patience = new(s_connectTimeout, time);
        using CancellationTokenSource connecting = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            Negotiation negotiation = await negotiate(connecting.Token).ConfigureAwait(false);
            HubConnection connection = Build(negotiation);
            await using (connection.ConfigureAwait(false))
            {
                TaskCompletionSource<Exception?> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                connection.Closed += why =>
                {
                    closed.TrySetResult(why);
                    return Task.CompletedTask;
                };
                await connection.StartAsync(connecting.Token).ConfigureAwait(false);
                await StayAsync(negotiation, closed.Task, stopping).ConfigureAwait(false);
                return true;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e)
        {
            // Whatever it is, a listener has nothing better to do than to try again; the state and the log tell.
            LogConnectFailed(failures == 0 ? e : null, e.GetBaseException().Message);
            Tried();
            return false;
        }
    }

    private async Task StayAsync(Negotiation negotiation, Task<Exception?> closed, CancellationToken stopping)
    {
        LogConnected(negotiation.Url);
        Change(ListenerState.Connected);
        try
        {
            LogLost(await closed.WaitAsync(stopping).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return;
        }
        Change(ListenerState.Reconnecting);
    }

    private HubConnection Build(Negotiation negotiation)
    {
        IHubConnectionBuilder builder = new HubConnectionBuilder().WithUrl(
            negotiation.Url,
            Transports,
            options =>
            {
                options.AccessTokenProvider = () => Task.FromResult<string?>(negotiation.AccessToken);
                options.Proxy = EnvironmentProxy.Instance;
            });
        builder.Services.AddSingleton(loggers);
        HubConnection connection = builder.Build();
        foreach (var (target, handler) in _handlers)
            connection.On(target, s_oneArgument, static (arguments, state) => Dispatch(arguments, (Action<JsonElement>)state), handler);
        return connection;
    }

    private static Task Dispatch(object?[] arguments, Action<JsonElement> handler)
    {
        handler((JsonElement)arguments[0]!);
        return Task.CompletedTask;
    }

    private void Change(ListenerState state)
    {
        lock (_lock)
        {
            State = state;
            switch (state)
            {
                case ListenerState.Connected:
                    _connected.TrySetResult();
                    _tried.TrySetResult();
                    break;
                case ListenerState.Reconnecting when _connected.Task.IsCompleted:
                    _connected = NewSource();
                    (_tried, _wanted) = (NewSource(), NewSource());
                    break;
                case ListenerState.Disconnected:
                    _connected.TrySetCanceled();
                    _tried.TrySetResult();
                    break;
            }
        }
        StateChanged?.Invoke(state);
    }

    /// <summary>An attempt has failed: who waited for it knows, and who comes now waits for the next.</summary>
    private void Tried()
    {
        lock (_lock)
        {
            _tried.TrySetResult();
            (_tried, _wanted) = (NewSource(), NewSource());
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Information, "Listening at {Url}")]
    private partial void LogConnected(string url);

    [LoggerMessage(LogLevel.Warning, "The SignalR connection ended; connecting anew")]
    private partial void LogLost(Exception? why);

    /// <param name="first">Only the first failure in a row is told with its stack: during an outage there may be two a second.</param>
    [LoggerMessage(LogLevel.Warning, "Could not connect to SignalR ({Reason}); trying again")]
    private partial void LogConnectFailed(Exception? first, string reason);
}

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Background;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Batching;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.Workers;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker;

/// <summary>
/// A worker from enrolment to drain. It only dials out: HTTPS to the edge, storage and SignalR.
/// </summary>
internal sealed partial class Worker
{
    private static readonly TimeSpan HandingBack = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(1);

    private readonly Capabilities _capabilities;
    private readonly WorkerDispatcher _dispatcher;
    private readonly QueuePoller _poller;
    private readonly BackgroundRunner _background;
    private readonly Heartbeat _heartbeat;
    private readonly DecoderWatch _decoders;
    private readonly ModelHost _models;
    private readonly ReplicaFolder _folder;
    private readonly ReplicaStore _replicas;
    private readonly ReplicaKeeper _keeper;
    private readonly ForwardedServers _forwards;
    private readonly SlotGate _slots;
    private readonly StandingOrders _orders;
    private readonly WorkerOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;

    public Worker(
        Capabilities capabilities,
        WorkerDispatcher dispatcher,
        QueuePoller poller,
        BackgroundRunner background,
        Heartbeat heartbeat,
        DecoderWatch decoders,
        ModelHost models,
        ReplicaFolder folder,
        ReplicaStore replicas,
        ReplicaKeeper keeper,
        ForwardedServers forwards,
        SlotGate slots,
        StandingOrders orders,
        IOptions<WorkerOptions> options,
        TimeProvider time,
        Random random,
        ILoggerFactory loggers)
    {
        _capabilities = capabilities;
        _dispatcher = dispatcher;
        _poller = poller;
        _background = background;
        _heartbeat = heartbeat;
        _decoders = decoders;
        _models = models;
        _folder = folder;
        _replicas = replicas;
        _keeper = keeper;
        _forwards = forwards;
        _slots = slots;
        _orders = orders;
        _options = options.Value;
        _time = time;
        _random = random;
        _loggers = loggers;
        _logger = loggers.CreateLogger<Worker>();
    }

    /// <summary>Runs until <paramref name="drain"/> is cancelled, then finishes or hands back what runs.</summary>
    /// <exception cref="EnrolmentException">The edge does not let it in.</exception>
    /// <exception cref="IdentityTakenException">Another process works under its identity.</exception>
    /// <exception cref="ReplicaException">The folder of copies cannot be used.</exception>
    public async Task RunAsync(CancellationToken drain)
    {
        // Before it is let in: a worker that can hold no copies is of no use.
        _folder.ThrowIfUnusable();
        await _capabilities.StartAsync(drain);
        await _forwards.StartAsync(drain);
        await _capabilities.UntilReachedAsync(NeedQueuesAsync, drain);
        using var stop = new CancellationTokenSource();
        using var keep = CancellationTokenSource.CreateLinkedTokenSource(drain, stop.Token);
        await using SignalRListener listener = Listen();
        _models.Changed += NeedQueuesSoon;
        _replicas.Changed += NeedQueuesSoon;
        _forwards.Changed += NeedQueuesSoon;
        _models.Changed += ResizeSlots;

        Task[] loops =
        [
            _dispatcher.RunAsync(stop.Token),
            _poller.RunAsync(stop.Token),
            KeepHeartbeatAsync(listener, stop.Token),
            _decoders.RunAsync(stop.Token),
            _keeper.RunAsync(stop.Token),
            .. _forwards.Keep(stop.Token),
        ];
        Task keeping = _capabilities.KeepAsync(keep.Token);
        try
        {
            // A loop that dies would leave a worker that runs and does nothing.
            await UntilOneFailsAsync([keeping, .. loops]);
        }
        catch (OperationCanceledException) when (drain.IsCancellationRequested)
        {
            await DrainAsync(_options.DrainTimeout);
        }
        catch (IdentityTakenException)
        {
            // Its edges still listen: others go on at once, where silence would first have to be long enough.
            await DrainAsync(TimeSpan.Zero);
            throw;
        }
        finally
        {
            _models.Changed -= NeedQueuesSoon;
            _replicas.Changed -= NeedQueuesSoon;
            _forwards.Changed -= NeedQueuesSoon;
            _models.Changed -= ResizeSlots;
            await stop.CancelAsync();
            await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await Task.WhenAll(loops);
            }
            finally
            {
                await EndAsync();
            }
        }
    }

    /// <summary>One that ends without failing, as with nothing to look after, is of no account.</summary>
    private static async Task UntilOneFailsAsync(List<Task> parts)
    {
        while (parts.Count > 0)
        {
            Task ended = await Task.WhenAny(parts);
            await ended;
            parts.Remove(ended);
        }
    }

    private async Task EndAsync()
    {
        await _background.StopAsync();
        await SayGoodbyeAsync();
        await _models.DisposeAsync();
        await _replicas.DisposeAsync();
    }

    /// <summary>The first report says that it can be pushed to, so it waits for the connection.</summary>
    private async Task KeepHeartbeatAsync(SignalRListener listener, CancellationToken stopping)
    {
        try
        {
            await listener.WaitUntilConnectedAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        LogReady(_capabilities.WorkerId);
        await _heartbeat.RunAsync(stopping);
    }

    private async Task DrainAsync(TimeSpan timeout)
    {
        LogDraining();
        Task drained = _dispatcher.DrainAsync(timeout, HandingBack);
        _heartbeat.ReportSoon();
        await drained;
        await _background.WaitUntilWrittenAsync(HandingBack);
    }

    /// <summary>Nobody has to find out by silence that this worker is gone.</summary>
    private async Task SayGoodbyeAsync()
    {
        using var patience = new CancellationTokenSource(Goodbye, _time);
        try
        {
            await _heartbeat.WriteAsync(patience.Token, left: true);
        }
        catch (OperationCanceledException)
        {
            LogNoGoodbye();
        }
        catch (IdentityTakenException)
        {
            // Who works under this identity now has not left.
        }
    }

    private SignalRListener Listen()
    {
        var listener = new SignalRListener(_capabilities.NegotiateAsync, _time, _random, _loggers);
        On(listener, Targets.Grant, ProtocolJson.Default.GrantMessage, _dispatcher.Granted);
        On(listener, Targets.Deny, ProtocolJson.Default.DenyMessage, _dispatcher.Denied);
        On(listener, Targets.Stop, ProtocolJson.Default.StopMessage, stop =>
        {
            _dispatcher.Stopped(stop);
            _background.Stopped(stop);
        });
        On(listener, Targets.Watch, ProtocolJson.Default.WatchMessage, _background.Watched);
        On(listener, Targets.Ack, ProtocolJson.Default.AckMessage, _dispatcher.Acknowledged);
        On(listener, Targets.Directive, ProtocolJson.Default.DirectiveMessage, Directed);
        On(listener, Targets.Replicas, ProtocolJson.Default.ReplicaOrdersMessage, _keeper.Ordered);
        On(listener, Targets.CancelTransfer, ProtocolJson.Default.CancelTransferMessage, _keeper.Cancelled);
        On(listener, Targets.ResumeTransfer, ProtocolJson.Default.ResumeTransferMessage, _keeper.Resumed);
        On(listener, Targets.Nudge, ProtocolJson.Default.NudgeMessage, _poller.Nudged);
        On(listener, Targets.Unload, ProtocolJson.Default.UnloadMessage, message =>
        {
            _models.Unload(message.Model);
            _forwards.Unload(message.Model);
        });
        listener.Start();
        return listener;
    }

    private void Directed(DirectiveMessage directive)
    {
        bool rested = _orders.Rests;
        if (!_orders.Take(directive))
            LogOldOrder(directive.Epoch);
        else if (directive.Drain && !rested)
            LogRests();
        else if (rested && !directive.Drain)
            LogTakesAgain();
    }

    private void On<T>(SignalRListener listener, string target, JsonTypeInfo<T> type, Action<T> handle) =>
        listener.On(target, argument =>
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

    private Task NeedQueuesAsync(CancellationToken cancellationToken) =>
        _capabilities.NeedQueuesOfAsync([.. _forwards.Digests, .. _models.Held().OrderByDescending(model => model.IsInMemory).Select(model => model.Digest)], cancellationToken);

    /// <summary>
    /// Sized from memory, a worker has the slots of its largest engine. A smaller one beside it may be given more than it runs at once:
    /// these wait in it.
    /// </summary>
    private void ResizeSlots()
    {
        if (_options.Slots is null)
            _slots.Resize(_models.Slots ?? EngineOptions.MostSlots);
    }

    private async void NeedQueuesSoon()
    {
        try
        {
            await NeedQueuesAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            // Nudges bring the queues' addresses too; the next renewal asks again.
            LogNoQueues(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is listening")]
    private partial void LogReady(string worker);

    [LoggerMessage(Level = LogLevel.Information, Message = "Draining")]
    private partial void LogDraining();

    [LoggerMessage(Level = LogLevel.Information, Message = "Drained from afar: what runs is finished, and nothing new is taken until that is taken back")]
    private partial void LogRests();

    [LoggerMessage(Level = LogLevel.Information, Message = "The drain is taken back: jobs are taken again")]
    private partial void LogTakesAgain();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last heartbeat was not written; the cluster will find out by silence")]
    private partial void LogNoGoodbye();

    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Target} message cannot be read")]
    private partial void LogUnreadable(Exception exception, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An order of epoch {Epoch} is ignored: its sender does not lead any more")]
    private partial void LogOldOrder(long epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The addresses of the models' queues were not renewed")]
    private partial void LogNoQueues(Exception exception);
}

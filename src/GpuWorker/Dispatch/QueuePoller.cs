using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Background;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Jobs;
using OllamaMax.Storage;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.Workers;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>
/// Looks into the models' queues while slots are free: when nudged, again while there may be more, and seldom unasked.
/// An idle worker costs a few operations a minute.
/// </summary>
internal sealed partial class QueuePoller(
    SlotGate slots,
    WorkerDispatcher dispatcher,
    BackgroundRunner background,
    ForwardedServers forwards,
    Capabilities capabilities,
    DecoderWatch decoders,
    ReplicaStore replicas,
    StandingOrders orders,
    SignedStorage storage,
    TimeProvider time,
    ILogger<QueuePoller> logger)
{
    private static readonly TimeSpan UnaskedEvery = TimeSpan.FromSeconds(60);

    /// <summary>Queues that are looked into unasked each time. Of more they take turns: a look is billed, and a worker with hundreds of models would do little else.</summary>
    private const int MostUnasked = 60;

    /// <summary>Long enough for a claim and its repetitions; after it the message is everybody's again.</summary>
    internal static readonly TimeSpan Visibility = TimeSpan.FromSeconds(10);

    /// <summary>Storage that hangs does not keep a worker from looking again when it is back. A message whose answer came too late shows again after <see cref="Visibility"/>.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The most that storage gives at once.</summary>
    private const int MostMessages = 32;

    private readonly PollOrder _order = new();
    private readonly WakeSignal _wake = new(time);
    private readonly PollTurns _turns = new(MostUnasked);

    /// <summary>Something waits in a queue, its edge says.</summary>
    public void Nudged(NudgeMessage nudge)
    {
        if (!forwards.CanRun(nudge.Model))
            return;
        _order.Add(nudge.Model, nudge.Band, nudge.Queue);
        _wake.Set();
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        dispatcher.SlotFreed += _wake.Set;
        orders.Changed += PollAllNow;
        PollAllSoon();
        try
        {
            while (true)
            {
                while (slots.Free > 0 && !dispatcher.IsDraining && !orders.Rests && _order.Take() is var (model, band, url))
                    await PollAsync(model, band, url, stopping);
                if (!await _wake.WaitAsync(UnaskedEvery, stopping))
                    PollSomeSoon();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Nobody has told it, while it rested, of what waits.</summary>
    private void PollAllNow()
    {
        PollAllSoon();
        _wake.Set();
    }

    private void PollAllSoon()
    {
        foreach (QueueCapability queue in Queues())
            _order.AddUnasked(queue.Model, queue.Band, queue.Url);
    }

    private void PollSomeSoon()
    {
        foreach (QueueCapability queue in _turns.Next([.. Queues()]))
            _order.AddUnasked(queue.Model, queue.Band, queue.Url);
    }

    private IEnumerable<QueueCapability> Queues() => capabilities.Current.Queues.Where(queue => forwards.CanRun(queue.Model));

    private async Task PollAsync(string model, Band band, string url, CancellationToken stopping)
    {
        // A background job can wait until the copy may be made again, or is elsewhere; here it would fail. A client that waits is to hear why.
        if (decoders.Hangs(model) || (band == Band.Batch && replicas.IsCancelled(model)))
            return;
        // None is held while storage is asked: what is pushed meanwhile comes first, and nobody is told that all are taken.
        int asked = Math.Min(slots.Free, MostMessages);
        if (asked <= 0)
        {
            _order.PutBack(model, band, url);
            return;
        }
        using CancellationTokenSource patience = new(Patience, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            QueueClient queue = storage.Queue(url);
            QueueMessage[] messages = await queue.ReceiveMessagesAsync(asked, Visibility, either.Token);
            bool isAnyLeft = messages.Length == asked;
            foreach (QueueMessage message in messages)
            {
                if (Read(message) is { } job)
                    isAnyLeft |= !await TryTakeAsync(job, queue, message, either.Token);
            }
            if (isAnyLeft)
                _order.PutBack(model, band, url);
        }
        catch (RequestFailedException e) when (QueueErrors.IsNoQueue(e))
        {
            // Nothing has ever waited for this model, or not for long.
        }
        catch (Exception e) when (StorageFailure.Is(e, stopping))
        {
            LogPollFailed(e, model);
        }
    }

    /// <summary>False where no slot is free any more, or nothing is to be taken any more: others are to see the message at once.</summary>
    private async Task<bool> TryTakeAsync(QueuedJob job, QueueClient queue, QueueMessage message, CancellationToken cancellationToken)
    {
        QueueHold hold = new(queue, message, time);
        if (dispatcher.IsDraining || orders.Rests || !slots.TryTake())
        {
            await ShowAsync(hold, job.Model, cancellationToken);
            return false;
        }
        if (job.Reply is null)
            background.Take(job, hold);
        else
            dispatcher.Claimed(job, new Claim(job.JobId, job.Model, job.Band, message.MessageId, message.PopReceipt));
        return true;
    }

    private async Task ShowAsync(QueueHold hold, string model, CancellationToken cancellationToken)
    {
        try
        {
            await hold.HideAsync(TimeSpan.Zero, cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // It shows again by itself, after Visibility; those behind it are taken all the same.
            LogPollFailed(e, model);
        }
    }

    private QueuedJob? Read(QueueMessage message)
    {
        try
        {
            return JsonSerializer.Deserialize(message.MessageText, ProtocolJson.Default.QueuedJob);
        }
        catch (JsonException e)
        {
            LogUnreadable(e, message.MessageId);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The queue of {Model} cannot be read; later again")]
    private partial void LogPollFailed(Exception exception, string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Queue message {Message} cannot be read and is left alone")]
    private partial void LogUnreadable(Exception exception, string message);
}

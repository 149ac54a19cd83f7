using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Health;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Background;

/// <summary>
/// One background job on this worker, from the queue message to the last line of its output. Whoever holds the message claims; whoever was
/// granted begins to write; and as each append says where, a worker that was overtaken finds out by its next one.
/// </summary>
internal sealed partial class BackgroundRun(
    QueuedJob job,
    QueueHold hold,
    AttemptRunner runner,
    WorkerSeals seals,
    WorkerIdentity identity,
    EdgeClient edge,
    SignalRSender sender,
    SignedStorage storage,
    Action freeSlot,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    /// <summary>After a failure the message shows a little later: others may look into the queue first.</summary>
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(2);

    /// <summary>No older a hold is certainly still one.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly JobClaim _claim = new(job, hold, identity, edge, time, logger);
    private readonly SignatureRenewal _signatures = new(time);
    private readonly WakeSignal _urgent = new(time);
    private readonly CancellationTokenSource _cancelled = new();
    private Action? _freeSlot = freeSlot;
    private RunningAttempt? _attempt;
    private bool _handBack;
    private bool _isDisposed;
    private volatile bool _isWatched;
    private bool _isSealed;
    private volatile bool _hasDecoded;

    public string JobId => job.JobId;

    public void Stop(string nonce)
    {
        lock (_lock)
        {
            if (_attempt?.Nonce == nonce)
                _attempt.Cancel();
        }
    }

    public void Watch(string jobId) => _isWatched |= jobId == JobId;

    /// <summary>The worker leaves: another one is to go on.</summary>
    public void HandBack()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _handBack = true;
            _attempt?.Cancel(handBack: true);
            _cancelled.Cancel();
        }
    }

    /// <summary>Once, however often it is called.</summary>
    public void ReleaseSlot() => Interlocked.Exchange(ref _freeSlot, null)?.Invoke();

    public async Task RunAsync(CancellationToken stopping)
    {
        // A worker that stood still for longer than a taken message stays hidden has lost it, and its claim would have whoever runs the job by now taken for lost.
        if (hold.Age > Fresh && (!await TryAsync(stop => hold.HideAsync(QueuePoller.Visibility, stop), stopping) || hold.IsLost))
            return;
        using var claiming = CancellationTokenSource.CreateLinkedTokenSource(stopping, _cancelled.Token);
        JobClaimAnswer? answer = await _claim.MakeAsync(claiming.Token);
        if (answer is null)
            return;
        if (answer.Later is { } later)
        {
            await TryAsync(stop => hold.HideAsync(later, stop), stopping);
            return;
        }
        if (answer.Grant is not { } grant)
        {
            await TryAsync(hold.DeleteAsync, stopping);
            return;
        }
        try
        {
            await RunAsync(grant, stopping);
        }
        catch (Exception e) when (StorageFailure.Is(e, stopping))
        {
            // Not to be read, or not to be begun: the message shows again after its lease.
            LogStorageFailed(e, JobId);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _isDisposed = true;
        _cancelled.Dispose();
    }

    private async Task RunAsync(JobClaimGrant grant, CancellationToken stopping)
    {
        // Not for this worker, or changed on its way: the message shows again after its lease.
        if (seals.Open(grant) is not { } opened)
            return;
        _signatures.Renewed(grant);
        // The address that the message was taken by may be near its end.
        hold.Renew(storage.Queue(grant.QueueUrl));
        await hold.HideAsync(grant.Lease, stopping);
        if (hold.IsLost)
            return;
        JobOutputBlob output = new(storage.AppendBlob(grant.OutputUrl), opened.Content);
        AnswerReplay replay = new(opened.Grant.Job!);
        Feed(replay, await output.ReadAsync(stopping));
        if (await output.BeginAsync(grant.Grant.Attempt, stopping) is not { } last)
        {
            await LeaveAsync(output, stopping);
            return;
        }
        if (output.Log.End is { } answered)
        {
            await EndAsync(grant, answered, stopping);
            return;
        }
        Feed(replay, last);
        _isWatched |= grant.Watched;
        _isSealed = opened.Content is not null;
        GrantMessage resumed = opened.Grant with { Resume = [.. output.Log.Tokens] };
        using var attempt = new RunningAttempt(resumed, new AttemptBuffer(resumed.Resume.Count, Changed), outbox: null);
        lock (_lock)
        {
            _attempt = attempt;
            if (_handBack)
                attempt.Cancel(handBack: true);
        }
        var writer = new OutputWriter(grant, output, replay, attempt, time);
        Task decoding = DecodeAsync(resumed, attempt);
        try
        {
            await WriteAsync(grant, writer, attempt, output, stopping);
        }
        finally
        {
            attempt.Cancel();
            // A decoder that hangs would hold this up for ever, and with it the end of the worker.
            await decoding.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_lock)
                _attempt = null;
        }
    }

    private void Changed(bool urgent)
    {
        if (urgent)
            _urgent.Set();
    }

    private static void Feed(AnswerReplay replay, IReadOnlyList<Chunk> chunks)
    {
        foreach (Chunk chunk in chunks)
            replay.Append(chunk);
    }

    private async Task DecodeAsync(GrantMessage grant, RunningAttempt attempt)
    {
        AttemptEnd end = await runner.RunAsync(grant, attempt);
        // First the slot, then the end: who hears of the end finds the slot free.
        ReleaseSlot();
        _hasDecoded = true;
        attempt.Output.Ended(end);
    }

    /// <summary>Brings what the decoder produces into storage, and keeps the message hidden, until one of them comes to an end.</summary>
    private async Task WriteAsync(JobClaimGrant grant, OutputWriter writer, RunningAttempt attempt, JobOutputBlob output, CancellationToken stopping)
    {
        StallWatch stall = new(grant.StallTimeout);
        while (true)
        {
            await _urgent.WaitAsync(writer.Next < grant.Lease / 3 ? writer.Next : grant.Lease / 3, stopping);
            bool hangs = !_hasDecoded && stall.Hangs(attempt.Engine?.Steps, time.Elapsed());
            // What storage does with the queue is not to keep the output from being written.
            if (hold.Age >= grant.Lease / 3 && !hold.IsLost && !hangs)
                await TryAsync(stop => hold.HideAsync(grant.Lease, stop), stopping);
            if (_signatures.IsDue)
            {
                if (await RenewAsync(grant, writer, output, stopping) is not { } renewed)
                    return;
                grant = renewed;
            }
            try
            {
                if (!await writer.WriteAsync(stopping))
                {
                    LogOvertaken(JobId);
                    await LeaveAsync(output, stopping);
                    return;
                }
            }
            catch (Exception e) when (StorageFailure.Is(e, stopping))
            {
                // The decoder goes on, and what it produces is kept until storage is there again.
                Failed(e);
            }
            await SendAsync(writer, stopping);
            if (writer.End is { } end)
            {
                await EndAsync(grant, end, stopping);
                return;
            }
        }
    }

    /// <summary>The grant with fresh signatures, or as it was where there is no edge to ask; null: the job has gone elsewhere, or is over.</summary>
    private async Task<JobClaimGrant?> RenewAsync(JobClaimGrant grant, OutputWriter writer, JobOutputBlob output, CancellationToken stopping)
    {
        if (await _claim.MakeAsync(stopping) is not { } answer)
        {
            _signatures.NotRenewed();
            return grant;
        }
        // An edge of an older version takes this claim for a new one, and grants the next attempt: that is nobody's then, and not this one's.
        if (answer.Grant is not { } renewed || renewed.Grant.Attempt.Number != grant.Grant.Attempt.Number)
            return null;
        _signatures.Renewed(renewed);
        output.Renew(storage.AppendBlob(renewed.OutputUrl));
        hold.Renew(storage.Queue(renewed.QueueUrl));
        writer.Renew(renewed);
        _isWatched |= renewed.Watched;
        return renewed;
    }

    /// <summary>Somebody else writes, or nobody may: the message is another's, unless the job is over.</summary>
    private Task LeaveAsync(JobOutputBlob output, CancellationToken stopping) =>
        output.Log.Fence is null ? Task.CompletedTask : TryAsync(hold.DeleteAsync, stopping);

    private async Task SendAsync(OutputWriter writer, CancellationToken stopping)
    {
        JobProgress? progress = writer.TakeProgress();
        // Who has subscribed before the job was encrypted asks for the stream: SignalR is to have no text of it.
        if (progress is null || !_isWatched || _isSealed)
            return;
        SendOutcome outcome = await sender.SendAsync(writer.Subscribers, Targets.Progress, progress, ProtocolJson.Default.JobProgress, stopping);
        // Subscribers ask storage for what they miss.
        if (outcome is not SendOutcome.Sent)
            LogNotSent(JobId, outcome);
    }

    private async Task EndAsync(JobClaimGrant grant, AttemptEnd end, CancellationToken stopping)
    {
        switch (end.Reason)
        {
            case EndReason.Stop or EndReason.Length or EndReason.Loaded or EndReason.Invalid:
                // In this order: a message that is deleted too early could be the only one that knows of the end.
                if (await TryAsync(stop => CompletionQueue.AddAsync(storage.Queue(grant.CompletionsUrl), new JobCompletion(JobId, grant.Grant.Attempt.Number), stop), stopping))
                    await TryAsync(hold.DeleteAsync, stopping);
                break;
            case EndReason.HandedBack:
                await TryAsync(stop => hold.HideAsync(TimeSpan.Zero, stop), stopping);
                break;
            default:
                await TryAsync(stop => hold.HideAsync(AfterFailure, stop), stopping);
                break;
        }
    }

    /// <summary>What does not succeed here is made good when the message shows again.</summary>
    private async Task<bool> TryAsync(Func<CancellationToken, Task> act, CancellationToken stopping)
    {
        try
        {
            await act(stopping);
            return true;
        }
        catch (Exception e) when (StorageFailure.Is(e, stopping))
        {
            Failed(e);
            return false;
        }
    }

    private void Failed(Exception e)
    {
        LogStorageFailed(e, JobId);
        if (e is RequestFailedException { Status: 403 })
            _signatures.Refused();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Storage failed for background job {Job}")]
    private partial void LogStorageFailed(Exception exception, string job);

    [LoggerMessage(Level = LogLevel.Information, Message = "Background job {Job} is over, or another worker has gone on with it; this one stops")]
    private partial void LogOvertaken(string job);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Subscribers of background job {Job} were not told: {Outcome}")]
    private partial void LogNotSent(string job, SendOutcome outcome);
}

using System.Threading.Channels;
using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Storage;
using OllamaMax.TaskHub.Turns;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>
/// One orchestration at the host that runs it: a mailbox and one reader. What has come together while a write was under way is decided and written as one:
/// a turn costs one write, however many branches have ended. Only after the write is anything done that was decided.
/// </summary>
internal sealed partial class InstanceActor
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    /// <summary>No timer of the platform runs longer than 49 days; it is set anew then.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    private readonly Channel<Letter> _mailbox = Channel.CreateUnbounded<Letter>(new() { SingleReader = true });
    private readonly HashSet<(int Generation, int TaskId)> _started = [];
    private readonly HashSet<string> _sending = [];
    private readonly string _id;
    private readonly HubSession _session;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private StoredInstance? _stored;
    private bool _hasToldOfEnd;

    /// <param name="stored">As the caller has written it; null: to be read.</param>
    public InstanceActor(string id, StoredInstance? stored, HubSession session, ILogger logger)
    {
        _id = id;
        _stored = stored;
        _session = session;
        _logger = logger;
        _timer = session.Time.CreateTimer(_ => Tell(new InstanceCommand.Tick()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Running = RunAsync();
    }

    /// <summary>Until it has ended and everything is done, or the session is over.</summary>
    public Task Running { get; }

    /// <summary>What it was last written or read with; for who compares it with a listing.</summary>
    public ETag? ETag => _stored?.ETag;

    /// <summary>False: the mailbox is closed, as nothing is left to do.</summary>
    public bool Tell(InstanceCommand command) => _mailbox.Writer.TryWrite(new(command, null));

    /// <summary>Has it look at what is there, read anew: another process has changed it.</summary>
    public bool Reload() => _mailbox.Writer.TryWrite(new(null, null));

    /// <summary>Ends when the command is in storage; the record after it, null where there is none. Null at once: the mailbox is closed.</summary>
    public Task<InstanceRecord?>? AskAsync(InstanceCommand command)
    {
        TaskCompletionSource<InstanceRecord?> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return _mailbox.Writer.TryWrite(new(command, done)) ? done.Task : null;
    }

    private async Task RunAsync()
    {
        List<Letter> letters = [];
        try
        {
            while (letters.Count > 0 || await _mailbox.Reader.WaitToReadAsync(_session.Stopping))
            {
                while (_mailbox.Reader.TryRead(out Letter? letter))
                    letters.Add(letter);
                letters = await TryStepAsync(letters);
            }
        }
        catch (OperationCanceledException) when (_session.Stopping.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // The other orchestrations must go on; the next sweep has another try at this one.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogBroken(e, _id);
            foreach (Letter letter in letters)
                letter.Done?.TrySetException(e);
        }
        finally
        {
            _mailbox.Writer.TryComplete();
            _session.Forget(_id, this);
            while (_mailbox.Reader.TryRead(out Letter? letter))
                letters.Add(letter);
            foreach (Letter letter in letters)
                letter.Done?.TrySetException(new TaskCanceledException("The hub's host has stopped."));
            await _timer.DisposeAsync();
        }
    }

    /// <summary>Answers what is to be tried again: storage did not answer.</summary>
    private async Task<List<Letter>> TryStepAsync(List<Letter> letters)
    {
        try
        {
            await StepAsync(letters);
            return [];
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or InvalidDataException)
        {
            LogNotWritten(e, _id);
            // It may have been written all the same.
            _stored = null;
            foreach (Letter letter in letters)
                letter.Done?.TrySetException(e);
            // Who asked has been told; what nobody else knows of stays.
            await Task.Delay(TryAgain, _session.Time, _session.Stopping);
            return [new(null, null), .. letters.Where(letter => letter.Done is null)];
        }
    }

    private async Task StepAsync(List<Letter> letters)
    {
        if (letters.Exists(letter => letter.Command is null))
            _stored = null;
        List<InstanceCommand> commands = [.. letters.Select(letter => letter.Command).OfType<InstanceCommand>()];
        InstanceRecord? record;
        while (true)
        {
            _stored ??= await _session.Store.FindAsync(_id, _session.Stopping);
            if (_stored?.Record is not { } found)
            {
                Answer(letters, null);
                _mailbox.Writer.TryComplete();
                return;
            }
            _session.CheckEpoch(found);
            DateTimeOffset now = _session.Time.GetUtcNow();
            record = found.Apply(commands, now);
            if (record.NeedsTurn(now))
                record = Turn.Run(_session.Registry.Orchestrator(record.Name), record, now, _session.Converter, _session.Loggers);
            if (ReferenceEquals(record, found))
                break;
            StoredInstance? written = await _session.Store.ReplaceAsync(_stored, record with { Epoch = _session.Epoch }, _session.Stopping);
            _stored = written;
            // Null: somebody else has changed it, and all is decided anew on what is there now.
            if (written is null)
                continue;
            record = written.Record;
            commands = [];
            if (!record.NeedsTurn(now))
                break;
        }
        Answer(letters, record);
        _session.Watch.Changed(_id);
        FollowUp(record);
    }

    private static void Answer(List<Letter> letters, InstanceRecord? record)
    {
        foreach (Letter letter in letters)
            letter.Done?.TrySetResult(record);
    }

    /// <summary>Does what the record wants done and this host has not begun. After a crash that is all that has not ended: nothing else remembers it.</summary>
    private void FollowUp(InstanceRecord record)
    {
        foreach (HistoryEvent.Decision decision in record.Pending())
        {
            if (decision is HistoryEvent.TimerCreated || !_started.Add((record.Generation, decision.TaskId)))
                continue;
            if (decision is HistoryEvent.ActivityScheduled activity)
                _session.Run(async stopping => Tell(await _session.Activities.RunAsync(record, activity, stopping)));
            else if (decision is HistoryEvent.ChildScheduled child)
                _session.Run(stopping => _session.StartChildAsync(record, child, stopping));
        }
        foreach (OutgoingEvent outgoing in record.Outbox)
        {
            if (_sending.Add(outgoing.Id))
                _session.Run(stopping => SendAsync(outgoing, record.Children().Contains(outgoing.Target), stopping));
        }
        if (record.IsEnded)
            FollowUpEnd(record);
        SetTimer(record);
    }

    private void FollowUpEnd(InstanceRecord record)
    {
        if (!_hasToldOfEnd)
        {
            _hasToldOfEnd = true;
            if (record.Parent is { } parent)
                _session.Run(stopping => _session.TellParentAsync(record, parent, stopping));
            if (record.TerminatesChildren)
                _session.Run(stopping => TerminateChildrenAsync(record, stopping));
        }
        if (!record.IsOpen)
            _mailbox.Writer.TryComplete();
    }

    private async Task SendAsync(OutgoingEvent outgoing, bool isToChild, CancellationToken stopping)
    {
        InstanceCommand raise = new InstanceCommand.Raise(outgoing.Name, outgoing.Data, outgoing.Id);
        // A sub-orchestration is begun beside this and may not be there yet; nobody else who is not there is waited for.
        while (await _session.AskAsync(outgoing.Target, raise, stopping) is null && isToChild)
            await Task.Delay(TryAgain, _session.Time, stopping);
        Tell(new InstanceCommand.Delivered(outgoing.Id));
    }

    private async Task TerminateChildrenAsync(InstanceRecord record, CancellationToken stopping)
    {
        foreach (string child in record.Children())
            await _session.AskAsync(child, new InstanceCommand.Terminate(record.Output, Recursive: true), stopping);
        Tell(new InstanceCommand.ChildrenTerminated());
    }

    private void SetTimer(InstanceRecord record)
    {
        if (record.NextDue() is not { } due)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }
        TimeSpan wait = due - _session.Time.GetUtcNow();
        // Timers of the platform count whole milliseconds: a little late is right, a little early would be one tick for nothing.
        wait = wait <= TimeSpan.Zero ? TimeSpan.Zero : wait >= LongestTimer ? LongestTimer : wait + TimeSpan.FromMilliseconds(1);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    /// <param name="Command">Null: look at what is there.</param>
    /// <param name="Done">Who waits for it to be written.</param>
    private sealed record Letter(InstanceCommand? Command, TaskCompletionSource<InstanceRecord?>? Done);

    [LoggerMessage(Level = LogLevel.Error, Message = "Orchestration {Id} cannot be run here; the next sweep tries it again")]
    private partial void LogBroken(Exception exception, string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Orchestration {Id} could not be read or written; trying again")]
    private partial void LogNotWritten(Exception exception, string id);
}

using System.Collections.Concurrent;
using Azure;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using OllamaMax.TaskHub.Instances;
using OllamaMax.TaskHub.Storage;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>The time from a host's taking the hub's lease to its losing it: the orchestrations that it runs meanwhile.</summary>
internal sealed partial class HubSession : IAsyncDisposable
{
    /// <summary>Of listings.</summary>
    public const int PageSize = 1000;

    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, InstanceActor> _actors = [];
    private readonly CancellationTokenSource _stop;
    private readonly ILogger _logger;

    public HubSession(
        long epoch,
        InstanceStore store,
        TaskRegistry registry,
        ActivityRunner activities,
        InstanceWatch watch,
        DataConverter converter,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken stopping)
    {
        Epoch = epoch;
        Store = store;
        Registry = registry;
        Activities = activities;
        Watch = watch;
        Converter = converter;
        Time = time;
        Loggers = loggers;
        _logger = loggers.CreateLogger<HubSession>();
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Stopping = _stop.Token;
    }

    public long Epoch { get; }

    public InstanceStore Store { get; }

    public TaskRegistry Registry { get; }

    public ActivityRunner Activities { get; }

    public InstanceWatch Watch { get; }

    public DataConverter Converter { get; }

    public TimeProvider Time { get; }

    public ILoggerFactory Loggers { get; }

    public CancellationToken Stopping { get; }

    /// <summary>Looks through storage: what is open and is not run here yet is, after a start all of it; what others have changed is read anew.</summary>
    /// <returns>False: nothing is open any more.</returns>
    public async Task<bool> SweepAsync()
    {
        bool isOpen = false;
        string? next = null;
        do
        {
            Microsoft.DurableTask.Page<InstanceItem> page = await Store.ListAsync("", next, PageSize, Stopping);
            foreach (InstanceItem item in page.Values.Where(item => item.IsOpen))
            {
                isOpen = true;
                if (!_actors.TryGetValue(item.Id, out InstanceActor? actor) || (actor.ETag is { } etag ? InstanceItem.TagOf(etag) : null) != item.Tag)
                    With(item.Id, one => one.Reload());
            }
            next = page.ContinuationToken;
        }
        while (next is not null);
        return isOpen || !_actors.IsEmpty;
    }

    /// <summary>Runs what the caller has just written.</summary>
    public void Adopt(StoredInstance stored)
    {
        string id = stored.Record.Id;
        InstanceActor actor = _actors.GetOrAdd(id, _ => Actor(id, stored));
        // One that was there may be of an orchestration before, of the same id.
        if (actor.ETag != stored.ETag || !actor.Tell(new InstanceCommand.Tick()))
            With(id, one => one.Reload());
    }

    /// <summary>Ends when the command is in storage; the record after it, null where there is none.</summary>
    public async Task<InstanceRecord?> AskAsync(string id, InstanceCommand command, CancellationToken cancellationToken)
    {
        Task<InstanceRecord?>? asked = null;
        With(id, actor => (asked = actor.AskAsync(command)) is not null);
        return asked is null ? throw new OperationCanceledException(Stopping) : await asked.WaitAsync(cancellationToken);
    }

    /// <summary>Starts a sub-orchestration; one that has ended already (this host's parent has crashed meanwhile) tells its parent again.</summary>
    public async Task StartChildAsync(InstanceRecord parent, HistoryEvent.ChildScheduled child, CancellationToken cancellationToken)
    {
        InstanceRecord record = parent.Child(child, Time.GetUtcNow());
        if (await Store.CreateAsync(record, cancellationToken) is { } created)
        {
            Adopt(created);
            return;
        }
        if (await Store.FindAsync(child.ChildId, cancellationToken) is not { } found)
            return;
        if (found.Record.Parent != record.Parent)
        {
            TaskFailure taken = TaskFailure.From(new InvalidOperationException($"There is an orchestration '{child.ChildId}' already."));
            await AskAsync(parent.Id, new InstanceCommand.Fail(parent.Generation, child.TaskId, taken), cancellationToken);
        }
        else if (found.Record.IsEnded)
        {
            await TellParentAsync(found.Record, found.Record.Parent!, cancellationToken);
        }
    }

    public Task TellParentAsync(InstanceRecord child, ParentTask parent, CancellationToken cancellationToken) =>
        AskAsync(parent.InstanceId, child.EndFor(parent), cancellationToken);

    /// <summary>Does something beside the actors, again and again until storage lets it through or the session is over.</summary>
    public void Run(Func<CancellationToken, Task> work) => _ = Task.Run(
        async () =>
        {
            while (!Stopping.IsCancellationRequested)
            {
                try
                {
                    await work(Stopping);
                    return;
                }
                catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception e) when (e is RequestFailedException or AggregateException or InvalidDataException)
                {
                    LogTryAgain(e);
                    await Task.Delay(TryAgain, Time, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        },
        CancellationToken.None);

    /// <summary>A host that comes after this one has written here: this one's lease is over, noticed or not.</summary>
    public void CheckEpoch(InstanceRecord record)
    {
        if (record.Epoch <= Epoch)
            return;
        LogOvertaken(Epoch, record.Epoch);
        _stop.Cancel();
        _stop.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Takes out an actor that has nothing left to do.</summary>
    public void Forget(string id, InstanceActor actor) => _actors.TryRemove(new(id, actor));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_actors.Values.Select(actor => actor.Running));
        _stop.Dispose();
    }

    /// <summary>Gives the orchestration's actor something, made anew where the one that was there has closed; does nothing once the session is over.</summary>
    private void With(string id, Func<InstanceActor, bool> give)
    {
        while (!Stopping.IsCancellationRequested)
        {
            InstanceActor actor = _actors.GetOrAdd(id, _ => Actor(id, null));
            if (give(actor))
                return;
            Forget(id, actor);
        }
    }

    private InstanceActor Actor(string id, StoredInstance? stored) => new(id, stored, this, Loggers.CreateLogger<InstanceActor>());

    [LoggerMessage(Level = LogLevel.Warning, Message = "Something of the task hub did not reach storage; trying again")]
    private partial void LogTryAgain(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The task hub has another host: epoch {Epoch} meets {Other} and stops")]
    private partial void LogOvertaken(long epoch, long other);
}

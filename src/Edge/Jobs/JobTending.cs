using System.Text.Json;
using Azure;
using Azure.Storage.Queues.Models;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// Looks after background jobs whom nobody asks for: writes the ends that workers announce, and now and then goes through all records for
/// what is due. Idempotent; any edge may do it, several at once too. Called by a loop of the local host, and by triggers of a function app.
/// </summary>
public sealed partial class JobTending
{
    /// <summary>Each takes some requests to storage, one after the other.</summary>
    private const int AtATime = 8;

    private static readonly TimeSpan JustQueued = TimeSpan.FromMinutes(2);

    private readonly JobRecords _records;
    private readonly BackgroundJobs _jobs;
    private readonly JobRecordStore _store;
    private readonly ResponseStore _responses;
    private readonly CompletionQueue _completions;
    private readonly OrchestrationSweep _strategies;
    private readonly FileSweep _files;
    private readonly SubmissionStore _submissions;
    private readonly TenantRetention _retention;
    private readonly DurableTaskClient? _hub;
    private readonly ActiveJobs _active;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    internal JobTending(
        JobRecords records,
        BackgroundJobs jobs,
        JobRecordStore store,
        ResponseStore responses,
        CompletionQueue completions,
        OrchestrationSweep strategies,
        FileSweep files,
        SubmissionStore submissions,
        TenantRetention retention,
        DurableTaskClient? hub,
        ActiveJobs active,
        TimeProvider time,
        ILogger<JobTending> logger)
    {
        _records = records;
        _jobs = jobs;
        _store = store;
        _responses = responses;
        _completions = completions;
        _strategies = strategies;
        _files = files;
        _submissions = submissions;
        _retention = retention;
        _hub = hub;
        _active = active;
        _time = time;
        _logger = logger;
    }

    /// <summary>An attempt has ended: its job's record is brought up to date, and an orchestration that waits for it is told.</summary>
    /// <param name="message">Of the queue <see cref="CompletionQueue.Name"/>: a <see cref="JobCompletion"/> as JSON.</param>
    /// <param name="hub">Where the caller was given one: in a function app each trigger is. Null: the process's own, if it has one.</param>
    public async Task CompletedAsync(string message, DurableTaskClient? hub, CancellationToken cancellationToken)
    {
        try
        {
            if (JsonSerializer.Deserialize(message, ProtocolJson.Default.JobCompletion) is { } completion
                && await _records.CompleteAsync(completion.JobId, cancellationToken) is { IsEnded: true, StrategyId: { } strategy } ended)
                await TellAsync(hub ?? _hub, strategy, ended.Id, cancellationToken);
        }
        catch (JsonException e)
        {
            LogUnreadable(e);
        }
    }

    /// <summary>Takes what waits in the queue of completions; answers how many, <see cref="CompletionQueue.Most"/> where there may be more.</summary>
    public async Task<int> TakeCompletionsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<QueueMessage> messages = await _completions.ReceiveAsync(cancellationToken);
        await Parallel.ForEachAsync(messages, Some(cancellationToken), TakeAsync);
        return messages.Count;
    }

    /// <summary>Tells workers of the queues that this edge's jobs are in: a job whose worker died waits there again, and nobody has said so.</summary>
    public Task NudgeAsync(CancellationToken cancellationToken) => NudgeAsync(_active.Models, cancellationToken);

    /// <summary>Forgets those of this edge's jobs that came to their end at another one.</summary>
    public async Task ForgetEndedAsync(CancellationToken cancellationToken)
    {
        HashSet<string> ended = [.. _active.Ids];
        await foreach (RecordItem item in _store.ListAsync(cancellationToken).Where(item => item.IsUnderWay))
            ended.Remove(item.Id);
        Forget(ended);
    }

    /// <summary>
    /// Goes through all records: deletes what is no longer kept, ends what is past its deadline or has ended unnoticed, queues again what
    /// nobody has claimed for long and seems to have lost its message. A few list operations, and more only for what is due. Then tells workers of all queues that jobs are in.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancellationToken) =>
        await NudgeAsync(await GoThroughAsync(TimeSpan.Zero, cancellationToken), cancellationToken);

    /// <summary>The part of a sweep that needs a hub, where only a trigger is given one: deletes jobs with a strategy and batches that are no longer kept.</summary>
    public Task SweepOrchestrationsAsync(DurableTaskClient hub, CancellationToken cancellationToken) => _strategies.SweepAsync(hub, _time.GetUtcNow(), cancellationToken);

    /// <summary>
    /// The same where an edge starts: one that was killed before it may have written a job's record and not its message. So where a model's queue lacks messages, what was queued
    /// within the last minutes before is queued again, all of it: which of them has none nobody can tell.
    /// </summary>
    /// <param name="ago">How long ago that was. A message of a job that has ended, which no worker could delete, hides that another's is missing: what is seen some time later is certain.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public Task TakeOverAsync(TimeSpan ago, CancellationToken cancellationToken) => GoThroughAsync(JustQueued + ago, cancellationToken);

    /// <summary>The models of what is under way.</summary>
    private async Task<IReadOnlyCollection<string>> GoThroughAsync(TimeSpan justQueued, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        // Those that came to their end at another edge are found out here.
        HashSet<string> ended = [.. _active.Ids];
        Dictionary<string, int> underWay = [];
        List<RecordItem> due = [], recent = [];
        await foreach (RecordItem item in _store.ListAsync(cancellationToken))
        {
            if (item.IsUnderWay)
            {
                ended.Remove(item.Id);
                underWay[item.Model] = underWay.GetValueOrDefault(item.Model) + 1;
                _active.Add(item.Id, item.Model);
            }
            if (item.DueAt <= now)
                due.Add(item);
            // Queued again after its creation, it is due later than otherwise; its deadline may be sooner than that.
            else if (item.Status == RecordStatus.Queued && (item.CreatedAt > now - justQueued || item.DueAt > now + _records.QueueAgain - justQueued))
                recent.Add(item);
        }
        Forget(ended);
        IEnumerable<string> queued = due.Concat(recent).Where(item => item.Status == RecordStatus.Queued).Select(item => item.Model).Distinct();
        MissingMessages missing = await MissingMessages.CountAsync(underWay, queued, _jobs, cancellationToken);
        await Parallel.ForEachAsync(due, Some(cancellationToken), (item, stop) => TendAsync(item, missing.Take, stop));
        await Parallel.ForEachAsync(recent.Where(item => missing.Lacks(item.Model)), Some(cancellationToken), (item, stop) => TendAsync(item, static _ => true, stop));
        await _responses.SweepAsync(now, _retention.Shortest, cancellationToken);
        await _files.SweepAsync(now, cancellationToken);
        await foreach ((string name, ETag etag) in _submissions.ListExpiredAsync(now, cancellationToken))
            await _submissions.DeleteAsync(name, etag, cancellationToken);
        await _strategies.SweepAsync(_hub, now, cancellationToken);
        return underWay.Keys;
    }

    private static ParallelOptions Some(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken };

    private void Forget(IEnumerable<string> ended)
    {
        foreach (string id in ended)
            _active.Remove(id);
    }

    private async Task NudgeAsync(IEnumerable<string> models, CancellationToken cancellationToken)
    {
        foreach (string model in models)
            await _jobs.NudgeAsync(model, cancellationToken);
    }

    private async ValueTask TakeAsync(QueueMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await CompletedAsync(message.MessageText, hub: null, cancellationToken);
            await _completions.DeleteAsync(message, cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException or InvalidOperationException or InvalidDataException or ContentKeyException)
        {
            // It comes again, and the others are not to wait for it.
            LogNotTaken(e, message.MessageText);
        }
    }

    private async Task TellAsync(DurableTaskClient? hub, string strategy, string jobId, CancellationToken cancellationToken)
    {
        try
        {
            if (hub is not null)
                await hub.RaiseEventAsync(strategy, EventNames.Ended(jobId), jobId, cancellationToken);
        }
        catch (InvalidOperationException e)
        {
            // The orchestration is gone: nobody waits.
            LogNotTold(e, strategy, jobId);
        }
    }

    /// <param name="item">Of the list.</param>
    /// <param name="isMissing">As of <see cref="BackgroundJobs.QueueAgainAsync(string, Func{string, bool}, CancellationToken)"/>.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    private async ValueTask TendAsync(RecordItem item, Func<string, bool> isMissing, CancellationToken cancellationToken)
    {
        try
        {
            await _records.TendAsync(item.Id, cancellationToken);
            if (item.Status == RecordStatus.Queued)
                await _jobs.QueueAgainAsync(item.Id, isMissing, cancellationToken);
        }
        catch (Exception e) when (e is RequestFailedException or InvalidDataException)
        {
            // The others are not to wait for this one.
            LogNotTended(e, item.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A message of the queue of completions cannot be read and is dropped")]
    private partial void LogUnreadable(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The completion {Completion} could not be taken; later again")]
    private partial void LogNotTaken(Exception exception, string completion);

    [LoggerMessage(Level = LogLevel.Information, Message = "Strategy {Strategy} was not told of the end of its job {Job}")]
    private partial void LogNotTold(Exception exception, string strategy, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Background job {Job} could not be looked after; later again")]
    private partial void LogNotTended(Exception exception, string job);
}

using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// <c>GET /jobs/{id}/stream?after=N</c>: the answer from token N on, during the run and after it. Follows the output in storage, so that
/// it does not matter which edge or worker is there; a client that was cut off comes back with the last offset it has.
/// </summary>
internal sealed partial class JobStream(
    JobRecordStore store,
    JobRecords records,
    ActiveJobs active,
    TenantRetention retention,
    IOptions<BackgroundOptions> options,
    IOptions<EdgeOptions> edge,
    TimeProvider time,
    ILogger<JobStream> logger)
{
    /// <summary>The record is looked at this often while nothing comes: a deadline passes without a word in the output.</summary>
    private static readonly TimeSpan RecordEvery = TimeSpan.FromSeconds(5);

    /// <summary>Between the tries where storage is away.</summary>
    public static readonly TimeSpan WhileAway = TimeSpan.FromSeconds(2);

    /// <summary>Where nothing is to be stored, the output is kept for this long after a reader was last seen.</summary>
    private static readonly TimeSpan WatchFor = TimeSpan.FromSeconds(30);

    /// <summary>Id of a stream's last event: a client that comes back with it has everything.</summary>
    private const string EndId = "end";

    public async Task WriteAsync(HttpContext context, JobRecord record)
    {
        string lastEvent = context.Request.Headers["Last-Event-ID"].ToString();
        if (lastEvent == EndId)
        {
            // What tells an EventSource to stay away.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        string from = lastEvent.Length > 0 ? lastEvent : context.Request.Query["after"].ToString();
        int after = 0;
        if (from.Length > 0 && !int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest("after must be a number of tokens: the offset of the last line that came"));
            return;
        }
        // Who is sent the rest another way asks only for what is there.
        QueryFields fields = new(context);
        bool follows = fields.Flag("follow", absent: true);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        bool isEvents = LineFrames.AsksForEvents(context.Request.Headers.Accept.ToString());
        await WriteAsync(context, record, new JobStreamLines(context.Response.BodyWriter, isEvents), after, follows);
    }

    /// <param name="after">Tokens that the client has; the lines may leave out more.</param>
    /// <param name="follows">Until the job ends; false: what there is of it.</param>
    public async Task WriteAsync(HttpContext context, JobRecord record, IJobStreamLines lines, int after = 0, bool follows = true)
    {
        if (record.IsEnded && !record.HasContent)
        {
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status410Gone, $"the output of job '{record.Id}' is not kept"));
            return;
        }
        record.Readable();
        active.Follow(record.Id);
        try
        {
            if (!record.IsEnded)
                active.Add(record.Id, record.Model);
            await FollowAsync(context, record, lines, after, follows);
        }
        finally
        {
            if (active.Unfollow(record.Id) && retention.StoresNothing(record.Tenant))
                await ReleaseAsync(record.Id);
        }
    }

    private async Task FollowAsync(HttpContext context, JobRecord record, IJobStreamLines lines, int after, bool follows)
    {
        JobOutputBlob output = store.Output(record.Id);
        // Taken now: where nothing is stored, the record loses it at the end.
        AnswerReplay? replay = record.Job is { } job ? new(job) : null;
        context.Response.ContentType = lines.ContentType;
        context.Response.Headers.CacheControl = "no-cache";
        // Starting alone sends nothing: a reader is to know at once that it is connected, however long the job waits.
        await context.Response.StartAsync(context.RequestAborted);
        lines.WriteStart();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        long lookedAt = time.GetTimestamp();
        long wroteAt = lookedAt;
        JobRecord? current = await PatientlyAsync(token => WatchAsync(record, token));
        while (true)
        {
            bool wasEnded = current is null or { IsEnded: true };
            foreach (Chunk chunk in await PatientlyAsync(output.ReadAsync))
            {
                if (replay is not null && Take(replay, chunk, after) is { } delta)
                    lines.WriteDelta(delta);
            }
            if (wasEnded)
            {
                bool isComplete = current is { Status: RecordStatus.Completed };
                if (isComplete && replay is not null && current!.Statistics is { } statistics)
                    current = current with { Statistics = replay.Complete(statistics) };
                lines.WriteEnd(current, Offset(), isComplete ? replay?.Complete(current!.Reason) : null);
                await FlushAsync();
                return;
            }
            if (lines.HasWritten)
            {
                await FlushAsync();
            }
            else
            {
                await BeatAsync();
            }
            if (!follows)
                return;
            bool mayHaveEnded = output.Log.End is not null || output.Log.Fence is not null;
            if (mayHaveEnded || time.GetElapsedTime(lookedAt) >= RecordEvery)
            {
                JobRecord last = current!;
                current = await PatientlyAsync(token => WatchAsync(last, token));
                lookedAt = time.GetTimestamp();
                if (current is null or { IsEnded: true })
                    continue;
            }
            await Task.Delay(options.Value.FollowInterval, time, context.RequestAborted);
        }

        int Offset() => Math.Max(after, replay?.Tokens ?? 0);

        // The job runs on while storage is away, and its reader, who has a status already, could only be cut off.
        async Task<T> PatientlyAsync<T>(Func<CancellationToken, Task<T>> ask)
        {
            while (true)
            {
                using CancellationTokenSource limit = new(StoragePatience.Long, time);
                using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
                try
                {
                    return await ask(either.Token);
                }
                catch (Exception e) when (follows && StorageFailure.IsPassing(e, context.RequestAborted))
                {
                    LogWaits(record.Id, e.Message);
                }
                await BeatAsync();
                await Task.Delay(WhileAway, time, context.RequestAborted);
            }
        }

        async ValueTask BeatAsync()
        {
            if (time.GetElapsedTime(wroteAt) < edge.Value.HeartbeatInterval)
                return;
            lines.WriteHeartbeat(Offset());
            await FlushAsync();
        }

        async ValueTask FlushAsync()
        {
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            lines.Flushed();
            wroteAt = time.GetTimestamp();
        }
    }

    /// <summary>What the chunk makes final of what comes after token <paramref name="after"/>.</summary>
    private static JobOutput.Delta? Take(AnswerReplay replay, Chunk chunk, int after)
    {
        if (chunk.Index < after && chunk.NextIndex > after)
        {
            replay.Append(chunk.Until(after));
            chunk = chunk.From(after);
        }
        JobOutput.Delta delta = replay.Append(chunk);
        return chunk.Index >= after && chunk.Tokens.Length > 0 ? delta : null;
    }

    /// <summary>The job as it is now, kept for its readers where it would not be.</summary>
    private async Task<JobRecord?> WatchAsync(JobRecord record, CancellationToken cancellationToken)
    {
        JobRecord? current = await records.SettleAsync(record.Id, cancellationToken);
        if (!retention.StoresNothing(record.Tenant) || current is null or { HasContent: false } || (current.IsEnded && current.WatchedUntil is null))
            return current;
        TimeSpan left = (current.WatchedUntil ?? DateTimeOffset.MinValue) - time.GetUtcNow();
        return left > WatchFor / 2
            ? current
            : await records.ApplyAsync(record.Id, at => new RecordCommand.Watch(at + WatchFor, at), cancellationToken);
    }

    /// <summary>The last reader here has left or has everything.</summary>
    private async Task ReleaseAsync(string id)
    {
        if (await records.ApplyAsync(id, at => new RecordCommand.Watch(at, at), CancellationToken.None) is not null)
            await records.TendAsync(id, CancellationToken.None);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A reader of background job {Job} waits for storage: {Reason}")]
    private partial void LogWaits(string job, string reason);
}

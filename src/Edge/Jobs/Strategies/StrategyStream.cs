using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// <c>GET /jobs/{id}/stream</c> of a job with a strategy: how its branches come on and what they have said (<see cref="StrategyStreamLines"/>), from the begin whenever it is asked for.
/// Follows the orchestration and the outputs of the branches' jobs in storage.
/// </summary>
internal sealed partial class StrategyStream(
    StrategyJobs strategies,
    JobRecordStore store,
    JobRecords records,
    IOptions<BackgroundOptions> options,
    IOptions<EdgeOptions> edge,
    TimeProvider time,
    ILogger<StrategyStream> logger)
{
    /// <summary>Branches under way that are looked at as often as a job alone; with more of them each is looked at less often.</summary>
    private const int FollowedWell = 8;

    public async Task WriteAsync(HttpContext context, StrategyRecord record)
    {
        if (context.Request.Headers["Last-Event-ID"] == "end")
        {
            // What tells an EventSource to stay away.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        if (context.Request.Query["after"].ToString() is not ("" or "0"))
        {
            await ErrorAnswer.WriteAsync(context, ApiError.BadRequest("a job with a strategy has no offset of its own; /jobs/{job_id}/stream of a branch has"));
            return;
        }
        QueryFields fields = new(context);
        bool follows = fields.Flag("follow", absent: true);
        if (fields.Error is { } error)
        {
            await ErrorAnswer.WriteAsync(context, error);
            return;
        }
        LineFrames frames = new(context.Response.BodyWriter, LineFrames.AsksForEvents(context.Request.Headers.Accept.ToString()));
        context.Response.ContentType = frames.ContentType;
        context.Response.Headers.CacheControl = "no-cache";
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        await FollowAsync(context, record, frames, follows);
    }

    private async Task FollowAsync(HttpContext context, StrategyRecord record, LineFrames frames, bool follows)
    {
        StrategyStreamLines lines = new(frames);
        Dictionary<int, BranchFollower> followers = [];
        long wroteAt = time.GetTimestamp();
        while (true)
        {
            StrategyState? state = null;
            try
            {
                state = await strategies.LookAsync(context, record);
                foreach (BranchView branch in state.Branches)
                {
                    if (!followers.TryGetValue(branch.Index, out BranchFollower? follower))
                        followers.Add(branch.Index, follower = new(store, records, time));
                    await follower.WriteAsync(branch, lines, context.RequestAborted);
                }
            }
            catch (Exception e) when (follows && StorageFailure.IsPassing(e, context.RequestAborted))
            {
                // Its branches run on, and so does this, from where it was.
                LogWaits(record.Id, e.Message);
                state = null;
            }
            if (state is { IsEnded: true })
                lines.WriteEnd(state, strategies.VoteOf(record, state));
            else if (!frames.HasWritten && time.GetElapsedTime(wroteAt) >= edge.Value.HeartbeatInterval)
                lines.WriteHeartbeat();
            if (frames.HasWritten)
            {
                await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
                frames.Flushed();
                wroteAt = time.GetTimestamp();
            }
            if (!follows || state is { IsEnded: true })
                return;
            if (state is null)
            {
                await Task.Delay(JobStream.WhileAway, time, context.RequestAborted);
                continue;
            }
            int underWay = state.Branches.Count(branch => branch.Status is RecordStatus.Queued or RecordStatus.Running);
            await Task.Delay(options.Value.FollowInterval * Math.Max(1, underWay / FollowedWell), time, context.RequestAborted);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A reader of job {Job} waits for storage: {Reason}")]
    private partial void LogWaits(string job, string reason);
}

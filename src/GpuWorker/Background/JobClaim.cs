using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Background;

/// <summary>The claim of whoever holds a background job's message. Made again it renews what was granted, and issues nothing new.</summary>
internal sealed partial class JobClaim(QueuedJob job, QueueHold hold, WorkerIdentity identity, EdgeClient edge, TimeProvider time, ILogger logger)
{
    /// <summary>Long enough for an edge that starts, and within the time that a taken message stays hidden.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private readonly string _id = Guid.NewGuid().ToString("n");

    /// <summary>Null when there is no edge to ask: the message shows again by itself.</summary>
    public async Task<JobClaimAnswer?> MakeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Within, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    return await edge.ClaimAsync(identity, job.JobId, Request(), either.Token);
                }
                catch (HttpRequestException e)
                {
                    LogNotClaimed(job.JobId, e.Message);
                    await Task.Delay(TryAgain, time, either.Token);
                }
            }
        }
        catch (EnrolmentException e)
        {
            LogNotClaimed(job.JobId, e.Message);
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private JobClaimRequest Request() => new(ProtocolVersion.Current, identity.Id!, _id, hold.MessageId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Background job {Job} could not be claimed: {Reason}")]
    private partial void LogNotClaimed(string job, string reason);
}

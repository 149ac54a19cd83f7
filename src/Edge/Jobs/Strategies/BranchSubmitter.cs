using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Orchestrations;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>In whose name an orchestration's jobs are submitted, and until when they may run.</summary>
internal sealed record BranchOwner(Principal Principal, string RequestId, string? TraceParent, DateTimeOffset Deadline);

/// <summary>Takes on the background jobs of orchestrations, under the ids that those have given them.</summary>
internal sealed class BranchSubmitter(JobRecordStore store, JobFactory factory, BackgroundBacklog backlog, BackgroundJobs jobs, TimeProvider time)
{
    /// <summary>Where a refusal does not say when there is room again.</summary>
    private static readonly TimeSpan UnknownWait = TimeSpan.FromSeconds(30);

    /// <summary>Whether an activity before this one has taken the job on; makes sure then that it is run.</summary>
    public async Task<bool> IsThereAsync(string jobId)
    {
        if (await store.FindAsync(jobId, CancellationToken.None) is null)
            return false;
        // The record was written; whether its message was put nobody knows. One too many does no harm.
        await jobs.QueueAgainAsync(jobId, CancellationToken.None);
        return true;
    }

    public async Task<SubmitOutcome> TakeAsync(BranchOwner owner, SubmitInput input, JobSubmission submission)
    {
        if ((await factory.CreateAsync(submission.Request, InfoOf(owner), CancellationToken.None)).Failed(out ApiError? error, out Job? job))
            return new(error.Message);
        TimeSpan left = owner.Deadline - time.GetUtcNow();
        if (left <= TimeSpan.Zero)
            return new("the deadline passed");
        job = job with { Id = input.JobId, Band = Band.Batch, Deadline = left, Seed = JobFactory.SeedOf(job, input.Choice) };
        if (await backlog.TakeInAsync(job, CancellationToken.None) is { } refusal)
            return new(refusal.Message, refusal.RetryAfter ?? UnknownWait);
        await jobs.SubmitAsync(job, submission.Shape, submission.Request.Model, response: null, input.StrategyId, CancellationToken.None);
        return new();
    }

    private static RequestInfo InfoOf(BranchOwner owner) => new()
    {
        Id = owner.RequestId,
        Arrived = 0,
        TraceParent = owner.TraceParent,
        Principal = owner.Principal,
    };
}

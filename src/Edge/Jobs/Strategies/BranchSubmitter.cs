using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Security.Limits;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Takes on the background jobs of orchestrations, under the ids that those have given them.</summary>
internal sealed class BranchSubmitter(JobRecordStore store, JobFactory factory, LimitBook limits, BackgroundBacklog backlog, BackgroundJobs jobs, TimeProvider time)
{
    /// <summary>Where a refusal does not say when there is room again.</summary>
    private static readonly TimeSpan UnknownWait = TimeSpan.FromSeconds(30);

    public static SubmitOutcome Gone { get; } = new("what was submitted is not kept any more");

    /// <summary>Whether an activity before this one has taken the job on; makes sure then that it is run.</summary>
    public async Task<bool> IsThereAsync(string jobId)
    {
        if (await store.FindAsync(jobId, CancellationToken.None) is null)
            return false;
        // The record was written; whether its message was put nobody knows. One too many does no harm.
        await jobs.QueueAgainAsync(jobId, CancellationToken.None);
        return true;
    }

    /// <summary>Sees to it that there is no such job: what it would be of is not kept any more.</summary>
    public async Task<SubmitOutcome> GiveUpAsync(string jobId)
    {
        await jobs.EraseAsync(jobId, CancellationToken.None);
        return Gone;
    }

    /// <param name="submitter">In whose name.</param>
    /// <param name="deadline">Until when it may run.</param>
    /// <param name="input">Which branch it is.</param>
    /// <param name="submission">What to run.</param>
    /// <param name="isKept">Whether what it is a job of is still there (<see cref="WhileKept"/>).</param>
    public async Task<SubmitOutcome> TakeAsync(Submitter submitter, DateTimeOffset deadline, SubmitInput input, JobSubmission submission, Func<Task<bool>> isKept)
    {
        if ((await factory.CreateAsync(submission.Request, Submitters.InfoOf(submitter), CancellationToken.None)).Failed(out ApiError? error, out Job? job))
            return new(error.Message);
        TimeSpan left = deadline - time.GetUtcNow();
        if (left <= TimeSpan.Zero)
            return new("the deadline passed");
        // What it asked for at once was let in as one request; its tokens may have been used up since, by this too.
        if (await limits.OutOfTokensAsync(submitter.AsPrincipal(), CancellationToken.None) is { } used)
            return new(used.Message, used.RetryAfter < left ? used.RetryAfter : left);
        job = job with { Id = input.JobId, Band = Band.Batch, Deadline = left, Seed = JobFactory.SeedOf(job, input.Choice) };
        if (await backlog.TakeInAsync(job, CancellationToken.None) is { } refusal)
            return new(refusal.Message, refusal.RetryAfter ?? UnknownWait);
        JobRecord record = JobRecord.Create(job, submission.Shape, submission.Request.Model, time.GetUtcNow());
        record = record with { StrategyId = input.StrategyId, IsSpread = input.IsSpread, Embedding = submission.Embedding };
        return await WhileKept.RunAsync(() => jobs.SubmitAsync(record, CancellationToken.None), isKept, () => jobs.EraseAsync(input.JobId, CancellationToken.None)) is null ? Gone : new();
    }
}

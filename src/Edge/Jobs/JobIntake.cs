using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>The way of a request into the background, whichever API it came by.</summary>
internal sealed class JobIntake(
    JobFactory factory, BackgroundBacklog backlog, BackgroundJobs jobs, JobRecords records, StoragePatience storage, IOptions<BackgroundOptions> options, TimeProvider time)
{
    /// <param name="response">With <see cref="RequestShape.Response"/>, of the same id.</param>
    public async Task<Result<JobRecord>> TakeAsync(HttpContext context, JobTicket ticket, InferenceRequest request, RequestShape shape, StoredResponse? response = null)
    {
        if ((await factory.CreateAsync(request, RequestInfo.Of(context), context.RequestAborted)).Failed(out ApiError? error, out Job? job))
            return error;
        job = job with { Id = ticket.Id, Band = Band.Batch, Deadline = options.Value.Deadline };
        if (await storage.WaitAsync(token => backlog.TakeInAsync(job, token), context.RequestAborted, StoragePatience.Long) is { } refusal)
            return ApiError.From(refusal);
        ModelHeader.Write(context, job.AnsweredBy);
        JobRecord record = JobRecord.Create(job, shape, request.Model, time.GetUtcNow()) with { Response = response, Submission = ticket.Submission };
        // Not cut short by a client that leaves now: it may have been taken on already.
        return await storage.WaitAsync(token => jobs.SubmitAsync(record, token), CancellationToken.None);
    }

    /// <summary>The job that came of an earlier submission, as it is now; null: none did, or it is gone.</summary>
    public async Task<JobRecord?> FindAsync(KeyedSubmission submission, CancellationToken cancellationToken)
    {
        // Where nobody said that it was taken on, the edge may have ended between record and message. One message too many does no harm.
        if (!submission.IsTaken)
            await jobs.QueueAgainAsync(submission.JobId, cancellationToken);
        return await records.SettleAsync(submission.JobId, cancellationToken);
    }
}

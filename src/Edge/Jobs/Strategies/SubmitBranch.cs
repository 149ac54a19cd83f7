using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.DurableTask;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Takes on the background job of a branch. Run again it finds the job by the id that the orchestration gave it.</summary>
internal sealed class SubmitBranch(
    StrategyStore strategies,
    JobRecordStore store,
    JobRecords records,
    JobResult results,
    JobFactory factory,
    BackgroundBacklog backlog,
    BackgroundJobs jobs,
    TimeProvider time) : TaskActivity<SubmitInput, SubmitOutcome>
{
    /// <summary>Where a refusal does not say when there is room again.</summary>
    private static readonly TimeSpan UnknownWait = TimeSpan.FromSeconds(30);

    public override async Task<SubmitOutcome> RunAsync(TaskActivityContext context, SubmitInput input)
    {
        if (await store.FindAsync(input.JobId, CancellationToken.None) is not null)
        {
            // The record was written; whether its message was put nobody knows. One too many does no harm.
            await jobs.QueueAgainAsync(input.JobId, CancellationToken.None);
            return new();
        }
        if (await strategies.FindAsync(input.StrategyId, CancellationToken.None) is not { } strategy
            || await strategies.GetContentAsync(input.StrategyId, StrategyContent.Name, CancellationToken.None) is not { } json)
            return new("what was submitted is not kept any more");
        StrategyContent content = JsonSerializer.Deserialize(json, StrategyContentJson.Default.StrategyContent)
            ?? throw new InvalidDataException($"the content of strategy {input.StrategyId} is empty");
        if (content.Branch(input.Model, input.Prompt, await TextAsync(input)).Failed(out ApiError? error, out JobSubmission? submission)
            || (await factory.CreateAsync(submission.Request, InfoOf(strategy), CancellationToken.None)).Failed(out error, out Job? job))
            return new(error.Message);
        return await TakeAsync(strategy, input, submission, job);
    }

    private async Task<SubmitOutcome> TakeAsync(StrategyRecord strategy, SubmitInput input, JobSubmission submission, Job job)
    {
        TimeSpan left = strategy.Deadline - time.GetUtcNow();
        if (left <= TimeSpan.Zero)
            return new("the deadline passed");
        job = job with { Id = input.JobId, Band = Band.Batch, Deadline = left, Seed = JobFactory.SeedOf(job, input.Choice) };
        if (await backlog.TakeInAsync(job, CancellationToken.None) is { } refusal)
            return new(refusal.Message, refusal.RetryAfter ?? UnknownWait);
        await jobs.SubmitAsync(job, submission.Shape, submission.Request.Model, response: null, strategy.Id, CancellationToken.None);
        return new();
    }

    private async Task<string?> TextAsync(SubmitInput input)
    {
        if (input.Prompt is null)
            return null;
        if (input.AnswersOf.Count > 0)
            return await AnswersAsync(input);
        BinaryData? part = await strategies.GetContentAsync(input.StrategyId, StrategyContent.Part(input.Part), CancellationToken.None);
        return part?.ToString() ?? throw new InvalidDataException($"part {input.Part} of the text of strategy {input.StrategyId} is missing");
    }

    /// <summary>The answers one after the other, numbered where a judge must be able to name them.</summary>
    private async Task<string> AnswersAsync(SubmitInput input)
    {
        StringBuilder text = new();
        for (int i = 0; i < input.AnswersOf.Count; i++)
        {
            string id = input.AnswersOf[i];
            string? answer = await records.SettleAsync(id, CancellationToken.None) is { } record ? await results.ReadTextAsync(record, CancellationToken.None) : null;
            if (text.Length > 0)
                text.Append("\n\n");
            if (input.Prompt == "judge")
                text.Append(CultureInfo.InvariantCulture, $"Answer {i + 1}:\n");
            text.Append(answer ?? throw new InvalidDataException($"the answer of job {id} is not kept any more"));
        }
        return text.ToString();
    }

    private static RequestInfo InfoOf(StrategyRecord strategy) => new()
    {
        Id = strategy.RequestId,
        Arrived = 0,
        TraceParent = strategy.TraceParent,
        Principal = new Principal(strategy.Tenant, strategy.Principal, Permissions.Infer),
    };
}

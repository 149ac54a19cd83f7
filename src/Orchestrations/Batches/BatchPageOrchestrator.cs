using Microsoft.DurableTask;

namespace OllamaMax.Orchestrations.Batches;

/// <summary>Some lines of a batch: runs them, and writes how they ended.</summary>
public sealed class BatchPageOrchestrator : TaskOrchestrator<BatchPageInput, BatchPageResult>
{
    public const string Name = "batch_page";

    public override async Task<BatchPageResult> RunAsync(TaskOrchestrationContext context, BatchPageInput input)
    {
        BranchRuns runs = new(context, Math.Max(1, input.MaxParallel), input.Retries, ActivityNames.SubmitLine, isWatched: false);
        SubmitInput[] lines = [.. Enumerable.Range(0, input.Lines).Select(line => new SubmitInput(context.InstanceId, "", "", line) { BatchId = input.BatchId, Part = input.Page })];
        await Task.WhenAny(runs.RunAllAsync("line", lines), context.WaitForExternalEvent<string>(EventNames.Cancel));
        await runs.StopAsync();
        LineEnd[] ends = [.. runs.Branches.Select(line => new LineEnd(line.JobId, line.Status, line.Error))];
        return await context.CallActivityAsync<BatchPageResult>(ActivityNames.WritePage, new WritePageInput(input.BatchId, input.Page, ends), BranchRuns.Patient);
    }
}

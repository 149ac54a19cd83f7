using Microsoft.DurableTask;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Orchestrations;

/// <summary>What all strategies share: they can be cancelled, come to an end in time, and leave no branch behind.</summary>
public abstract class StrategyOrchestrator : TaskOrchestrator<StrategyInput, StrategyResult>
{
    public sealed override async Task<StrategyResult> RunAsync(TaskOrchestrationContext context, StrategyInput input)
    {
        BranchRuns runs = new(context, input.MaxParallel, input.Retries, ActivityNames.Submit);
        using CancellationTokenSource noDeadline = new();
        Task<StrategyResult> work = WorkAsync(context, input, runs);
        Task cancelled = context.WaitForExternalEvent<string>(EventNames.Cancel);
        Task late = context.CreateTimer(input.Deadline.UtcDateTime, noDeadline.Token);
        Task first = await Task.WhenAny(work, cancelled, late);
        noDeadline.Cancel();
        StrategyResult result = first == work ? await OutcomeAsync(work)
            : first == cancelled ? new StrategyResult(RecordStatus.Cancelled, []) { Error = "the job was cancelled" }
            : StrategyResult.Failed("the deadline passed");
        await runs.StopAsync();
        await context.CallActivityAsync<bool>(ActivityNames.Finish, input.Id, BranchRuns.Patient);
        return result with { Branches = runs.Branches };
    }

    /// <summary>The strategy itself; failing is an outcome.</summary>
    private protected abstract Task<StrategyResult> WorkAsync(TaskOrchestrationContext context, StrategyInput input, BranchRuns runs);

    /// <summary>Why none of them has an answer.</summary>
    private protected static string Summary(IReadOnlyList<BranchView> branches) =>
        $"{branches.Count(branch => branch.Status != RecordStatus.Completed)} of {branches.Count} branches have no answer; the first: "
        + (branches.FirstOrDefault(branch => branch.Status != RecordStatus.Completed)?.Error ?? "it was cancelled");

    private static async Task<StrategyResult> OutcomeAsync(Task<StrategyResult> work)
    {
        try
        {
            return await work;
        }
        catch (TaskFailedException e)
        {
            // An activity has failed beyond all patience: the branches are to be stopped all the same.
            return StrategyResult.Failed(e.FailureDetails.ErrorMessage);
        }
    }
}

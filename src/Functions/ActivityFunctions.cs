using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Orchestrations;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Orchestrations.Pulls;

namespace OllamaMax.Functions;

/// <summary>A trigger for each activity, handing over to the class that the local task hub runs.</summary>
public sealed class ActivityFunctions(IServiceProvider services)
{
    [Function(ActivityNames.Submit)]
    public Task<SubmitOutcome> SubmitAsync([ActivityTrigger] SubmitInput input, FunctionContext function) =>
        RunAsync<SubmitOutcome>(ActivityNames.Submit, input, function);

    [Function(ActivityNames.Look)]
    public Task<BranchEnd> LookAsync([ActivityTrigger] string input, FunctionContext function) => RunAsync<BranchEnd>(ActivityNames.Look, input, function);

    [Function(ActivityNames.Cancel)]
    public Task<int> CancelAsync([ActivityTrigger] string[] input, FunctionContext function) => RunAsync<int>(ActivityNames.Cancel, input, function);

    [Function(ActivityNames.Split)]
    public Task<SplitOutcome> SplitAsync([ActivityTrigger] string input, FunctionContext function) => RunAsync<SplitOutcome>(ActivityNames.Split, input, function);

    [Function(ActivityNames.Vote)]
    public Task<VoteOutcome> VoteAsync([ActivityTrigger] VoteInput input, FunctionContext function) => RunAsync<VoteOutcome>(ActivityNames.Vote, input, function);

    [Function(ActivityNames.Finish)]
    public Task<bool> FinishAsync([ActivityTrigger] string input, FunctionContext function) => RunAsync<bool>(ActivityNames.Finish, input, function);

    [Function(ActivityNames.OpenBatch)]
    public Task<BatchOpened> OpenBatchAsync([ActivityTrigger] string input, FunctionContext function) => RunAsync<BatchOpened>(ActivityNames.OpenBatch, input, function);

    [Function(ActivityNames.SubmitLine)]
    public Task<SubmitOutcome> SubmitLineAsync([ActivityTrigger] SubmitInput input, FunctionContext function) =>
        RunAsync<SubmitOutcome>(ActivityNames.SubmitLine, input, function);

    [Function(ActivityNames.WritePage)]
    public Task<BatchPageResult> WritePageAsync([ActivityTrigger] WritePageInput input, FunctionContext function) =>
        RunAsync<BatchPageResult>(ActivityNames.WritePage, input, function);

    [Function(ActivityNames.CloseBatch)]
    public Task<BatchFiles> CloseBatchAsync([ActivityTrigger] CloseBatchInput input, FunctionContext function) =>
        RunAsync<BatchFiles>(ActivityNames.CloseBatch, input, function);

    [Function(ActivityNames.PullSlice)]
    public Task<PullSlice> PullSliceAsync([ActivityTrigger] PullInput input, FunctionContext function) =>
        RunAsync<PullSlice>(ActivityNames.PullSlice, input, function);

    private async Task<TOutput> RunAsync<TOutput>(string name, object input, FunctionContext function)
    {
        string instanceId = function.BindingContext.BindingData.TryGetValue("instanceId", out object? id) ? id?.ToString() ?? "" : "";
        return (TOutput)(await OrchestrationActivities.All[name](services).RunAsync(new Context(name, instanceId), input))!;
    }

    private sealed class Context(string name, string instanceId) : TaskActivityContext
    {
        public override TaskName Name => name;

        public override string InstanceId => instanceId;
    }
}

using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using OllamaMax.Orchestrations;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Orchestrations.Pulls;

namespace OllamaMax.Functions;

/// <summary>A trigger for each orchestrator, by the name that starts it. Called by hand: what runs is what the local task hub runs.</summary>
public static class OrchestrationFunctions
{
    [Function(Strategies.Choices)]
    public static Task<StrategyResult> ChoicesAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new ChoicesOrchestrator().RunAsync(context, InputOf(context));

    [Function(Strategies.Race)]
    public static Task<StrategyResult> RaceAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new RaceOrchestrator().RunAsync(context, InputOf(context));

    [Function(Strategies.MapReduce)]
    public static Task<StrategyResult> MapReduceAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new MapReduceOrchestrator().RunAsync(context, InputOf(context));

    [Function(Strategies.Ensemble)]
    public static Task<StrategyResult> EnsembleAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new EnsembleOrchestrator().RunAsync(context, InputOf(context));

    [Function(BatchOrchestrator.Name)]
    public static Task<BatchProgress> BatchAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new BatchOrchestrator().RunAsync(context, context.GetInput<BatchInput>() ?? throw NoInput());

    [Function(BatchPageOrchestrator.Name)]
    public static Task<BatchPageResult> BatchPageAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new BatchPageOrchestrator().RunAsync(context, context.GetInput<BatchPageInput>() ?? throw NoInput());

    [Function(PullOrchestrator.Name)]
    public static Task<PullResult> PullAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new PullOrchestrator().RunAsync(context, context.GetInput<PullInput>() ?? throw NoInput());

    private static StrategyInput InputOf(TaskOrchestrationContext context) =>
        context.GetInput<StrategyInput>() ?? throw NoInput();

    private static InvalidOperationException NoInput() => new("The orchestration was started without input.");
}

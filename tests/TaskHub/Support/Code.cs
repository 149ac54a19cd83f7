using Microsoft.DurableTask;
using OllamaMax.TaskHub.Hosting;

namespace OllamaMax.TaskHub.Tests.Support;

/// <summary>Orchestrators and activities whose code a test writes in place.</summary>
internal static class Code
{
    public static TaskRegistry Orchestrator<TInput, TOutput>(
        this TaskRegistry registry, string name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> code) =>
        registry.AddOrchestrator(name, () => new OrchestratorOf<TInput, TOutput>(code));

    public static TaskRegistry Activity<TInput, TOutput>(this TaskRegistry registry, string name, Func<TInput, TOutput> code) =>
        registry.AddActivity(name, _ => new ActivityOf<TInput, TOutput>(code));

    private sealed class OrchestratorOf<TInput, TOutput>(Func<TaskOrchestrationContext, TInput, Task<TOutput>> code) : TaskOrchestrator<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(TaskOrchestrationContext context, TInput input) => code(context, input);
    }

    private sealed class ActivityOf<TInput, TOutput>(Func<TInput, TOutput> code) : TaskActivity<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(TaskActivityContext context, TInput input) => Task.FromResult(code(input));
    }
}

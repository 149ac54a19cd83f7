namespace Microsoft.DurableTask;

public interface ITaskOrchestrator
{
    Type InputType { get; }

    Type OutputType { get; }

    Task<object?> RunAsync(TaskOrchestrationContext context, object? input);
}

/// <summary>Code that is run again from its begin at each step, and must therefore decide the same way each time: no clock, no chance, no I/O but through its context.</summary>
public abstract class TaskOrchestrator<TInput, TOutput> : ITaskOrchestrator
{
    Type ITaskOrchestrator.InputType => typeof(TInput);

    Type ITaskOrchestrator.OutputType => typeof(TOutput);

    async Task<object?> ITaskOrchestrator.RunAsync(TaskOrchestrationContext context, object? input) =>
        await RunAsync(context, TaskInput.Read<TInput>(input));

    public abstract Task<TOutput> RunAsync(TaskOrchestrationContext context, TInput input);
}

namespace Microsoft.DurableTask;

public interface ITaskActivity
{
    Type InputType { get; }

    Type OutputType { get; }

    Task<object?> RunAsync(TaskActivityContext context, object? input);
}

/// <summary>What an orchestration has done in the world; run at least once.</summary>
public abstract class TaskActivity<TInput, TOutput> : ITaskActivity
{
    Type ITaskActivity.InputType => typeof(TInput);

    Type ITaskActivity.OutputType => typeof(TOutput);

    async Task<object?> ITaskActivity.RunAsync(TaskActivityContext context, object? input) =>
        await RunAsync(context, TaskInput.Read<TInput>(input));

    public abstract Task<TOutput> RunAsync(TaskActivityContext context, TInput input);
}

public abstract class TaskActivityContext
{
    public abstract TaskName Name { get; }

    /// <summary>The orchestration that it is run for.</summary>
    public abstract string InstanceId { get; }

    public virtual string Version => string.Empty;
}

internal static class TaskInput
{
    public static T Read<T>(object? input) => input switch
    {
        T typed => typed,
        null => default!,
        _ => throw new ArgumentException($"Input type '{input.GetType()}' does not match expected type '{typeof(T)}'.", nameof(input)),
    };
}

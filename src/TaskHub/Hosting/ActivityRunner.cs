using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>Runs activities, so many at a time. Whatever they throw is their failure, and their orchestration's affair.</summary>
internal sealed class ActivityRunner(TaskRegistry registry, IServiceProvider services, DataConverter converter, int most) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(most);

    /// <summary>What to tell the orchestration.</summary>
    public async Task<InstanceCommand> RunAsync(InstanceRecord record, HistoryEvent.ActivityScheduled activity, CancellationToken stopping)
    {
        await _slots.WaitAsync(stopping);
        try
        {
            await using AsyncServiceScope scope = services.CreateAsyncScope();
            ITaskActivity code = registry.Activity(activity.Name, scope.ServiceProvider)
                ?? throw new InvalidOperationException($"No activity named '{activity.Name}' is registered.");
            object? output = await code.RunAsync(new Context(activity.Name, record.Id), converter.Deserialize(activity.Data?.Text, code.InputType));
            string? text = converter.Serialize(output);
            return new InstanceCommand.Complete(record.Generation, activity.TaskId, text is null ? null : new Payload(text));
        }
#pragma warning disable CA1031 // An activity may throw anything; it is told to the orchestration, which decides what that means.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new InstanceCommand.Fail(record.Generation, activity.TaskId, TaskFailure.From(e));
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose() => _slots.Dispose();

    private sealed class Context(string name, string instanceId) : TaskActivityContext
    {
        public override TaskName Name => name;

        public override string InstanceId => instanceId;
    }
}

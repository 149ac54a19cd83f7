using Microsoft.DurableTask;

namespace OllamaMax.TaskHub.Hosting;

/// <summary>The orchestrators and activities that a hub knows, by name; case does not matter.</summary>
public sealed class TaskRegistry
{
    private readonly Dictionary<string, Func<ITaskOrchestrator>> _orchestrators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Func<IServiceProvider, ITaskActivity>> _activities = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="create">Makes one for each turn. Orchestrators get nothing injected: with Durable Functions they would not either.</param>
    public TaskRegistry AddOrchestrator(string name, Func<ITaskOrchestrator> create)
    {
        _orchestrators.Add(name, create);
        return this;
    }

    public TaskRegistry AddActivity(string name, Func<IServiceProvider, ITaskActivity> create)
    {
        _activities.Add(name, create);
        return this;
    }

    internal ITaskOrchestrator? Orchestrator(string name) => _orchestrators.TryGetValue(name, out Func<ITaskOrchestrator>? create) ? create() : null;

    internal ITaskActivity? Activity(string name, IServiceProvider services) =>
        _activities.TryGetValue(name, out Func<IServiceProvider, ITaskActivity>? create) ? create(services) : null;
}

using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Orchestrations;
using OllamaMax.TaskHub.Hosting;

namespace OllamaMax.LocalHost;

/// <summary>What the local task hub runs: the orchestrators and activities that a function app has triggers for.</summary>
internal static class LocalTasks
{
    public static void Register(TaskRegistry registry)
    {
        foreach (var (name, create) in Orchestrators.All)
            registry.AddOrchestrator(name, create);
        foreach (var (name, create) in OrchestrationActivities.All)
            registry.AddActivity(name, create);
    }
}

using Microsoft.DurableTask;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Orchestrations.Pulls;

namespace OllamaMax.Orchestrations;

/// <summary>All orchestrators, by name.</summary>
public static class Orchestrators
{
    public static IReadOnlyDictionary<string, Func<ITaskOrchestrator>> All { get; } = new Dictionary<string, Func<ITaskOrchestrator>>(Strategies.All)
    {
        [BatchOrchestrator.Name] = () => new BatchOrchestrator(),
        [BatchPageOrchestrator.Name] = () => new BatchPageOrchestrator(),
        [PullOrchestrator.Name] = () => new PullOrchestrator(),
    };
}

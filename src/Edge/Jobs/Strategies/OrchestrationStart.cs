using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Starts an orchestration whose id says what it is for: where it runs already nothing is left to do.</summary>
internal static class OrchestrationStart
{
    public static async Task RunAsync(DurableTaskClient hub, string name, string id, object input)
    {
        try
        {
            await hub.ScheduleNewOrchestrationInstanceAsync(name, input, new StartOrchestrationOptions(id), CancellationToken.None);
        }
        catch (Exception)
        {
            // Another edge may have been asked for the same at the same moment; each hub has an exception of its own for that.
            if (await hub.GetInstanceAsync(id, CancellationToken.None) is not { IsCompleted: false })
                throw;
        }
    }
}

using Microsoft.DurableTask.Client;
using OllamaMax.Orchestrations.Batches;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// Takes an orchestration out of the hub with the pages that it has, if it is a batch's. One by one: over Azure Storage, Durable Functions does not do what <c>Recursive</c> asks for, neither
/// when it purges nor when it terminates.
/// </summary>
internal static class OrchestrationPurge
{
    /// <summary>Purges what has ended of it and tells the rest to end; answers the rest's ids. None: nothing is left of it.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(DurableTaskClient hub, string id, CancellationToken cancellationToken)
    {
        List<OrchestrationMetadata> all = await hub.GetAllInstancesAsync(new(InstanceIdPrefix: BatchOrchestrator.PagePrefix(id))).ToListAsync(cancellationToken);
        if (await hub.GetInstanceAsync(id, cancellationToken) is { } whole)
            all.Insert(0, whole);
        List<string> open = [];
        foreach (OrchestrationMetadata one in all)
        {
            if (one.IsCompleted)
            {
                await hub.PurgeInstanceAsync(one.InstanceId, cancellationToken);
                continue;
            }
            await hub.TerminateInstanceAsync(one.InstanceId, cancellationToken);
            open.Add(one.InstanceId);
        }
        return open;
    }
}

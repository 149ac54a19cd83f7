using Microsoft.DurableTask.Client;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Deletes jobs with a strategy whose time is over, with their orchestrations; their branches go as any background job does.</summary>
internal sealed class StrategySweep(StrategyStore store)
{
    /// <param name="hub">Null where this process has none: then another one does it.</param>
    public async Task SweepAsync(DurableTaskClient? hub, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (hub is null)
            return;
        await foreach (string id in store.ListExpiredAsync(now, cancellationToken))
        {
            await hub.PurgeInstanceAsync(id, cancellationToken);
            await store.DeleteAsync(id, cancellationToken);
        }
    }
}

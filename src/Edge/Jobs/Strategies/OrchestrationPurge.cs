using Microsoft.DurableTask.Client;
using OllamaMax.Orchestrations.Batches;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// Takes an orchestration out of the hub with the pages that it has, if it is a batch's. One by one: over Azure Storage, Durable Functions does not do what <c>Recursive</c> asks for, neither
/// when it purges nor when it terminates.
/// </summary>
internal static class OrchestrationPurge
{
    /// <summary>An orchestration that is told to end does so when its turn is over; Durable Functions looks every ten seconds whether it is told (<c>host.json</c>).</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(30);

    /// <summary>Takes it out, whatever it is doing. An activity does not end with it: each that writes looks afterwards whether it was still for something (<see cref="WhileKept"/>).</summary>
    public static async Task EndAsync(DurableTaskClient hub, string id, TimeProvider time)
    {
        using CancellationTokenSource patience = new(EndsWithin, time);
        while (await RunAsync(hub, id, CancellationToken.None) is { Count: > 0 } open && !patience.IsCancellationRequested)
        {
            Task ended = Task.WhenAll(open.Select(one => hub.WaitForInstanceCompletionAsync(one, patience.Token)));
            await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

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
            await TerminateAsync(hub, one.InstanceId, cancellationToken);
            open.Add(one.InstanceId);
        }
        return open;
    }

    private static async Task TerminateAsync(DurableTaskClient hub, string id, CancellationToken cancellationToken)
    {
        try
        {
            await hub.TerminateInstanceAsync(id, cancellationToken);
        }
        catch (Exception)
        {
            // Somebody else may have ended or purged it since it was looked at; each hub has an exception of its own for that.
            if (await hub.GetInstanceAsync(id, cancellationToken) is { IsCompleted: false })
                throw;
        }
    }
}

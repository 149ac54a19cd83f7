using System.Text.Json;
using Microsoft.DurableTask.Client;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Pulls;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Deletes jobs with a strategy, batches and pulls whose time is over, with their orchestrations; branches go as any background job does.</summary>
internal sealed class OrchestrationSweep(StrategyStore strategies, SubmissionStore submissions, BatchStore batches)
{
    /// <param name="hub">Null where this process has none: then another one does it.</param>
    public async Task SweepAsync(DurableTaskClient? hub, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (hub is null)
            return;
        await foreach (string id in strategies.ListExpiredAsync(now, cancellationToken))
        {
            await NoteTakenAsync(id, cancellationToken);
            // What has to be told to end is gone by the next sweep. Without its record nobody would ever clear it away.
            if (await OrchestrationPurge.RunAsync(hub, id, cancellationToken) is [])
                await strategies.DeleteAsync(id, cancellationToken);
        }
        await foreach (string id in batches.ListExpiredAsync(now, cancellationToken))
        {
            if (await OrchestrationPurge.RunAsync(hub, id, cancellationToken) is [])
                await BatchContent.DeleteAsync(batches, strategies, id, cancellationToken);
        }
        await DurablePulls.SweepAsync(hub, now, cancellationToken);
    }

    private async Task NoteTakenAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            if (await strategies.FindAsync(id, cancellationToken) is { Submission: { } submission, Submitter.Tenant: var tenant })
                await submissions.NoteTakenAsync(submission, id, tenant, cancellationToken);
        }
        catch (JsonException)
        {
            // Damaged, or of a version to come: its time is over all the same, and what stands behind it must not stay.
        }
    }
}

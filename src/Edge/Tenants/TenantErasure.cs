using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Tenants;

/// <summary>
/// Deletes all that is kept of a tenant, what is under way included. What is submitted meanwhile may stay: whoever wants it gone as well calls again. Not cut short by a client that
/// leaves; one that this process left half done is made again, and finds the rest.
/// </summary>
internal sealed class TenantErasure(
    JobRecordStore store,
    BackgroundJobs jobs,
    ResponseStore responses,
    StrategyStore strategies,
    BatchStore batches,
    FileStore files,
    SubmissionStore submissions,
    UsageBook book,
    UsageStore usage,
    TaskHubs hubs,
    TimeProvider time)
{
    private static readonly ParallelOptions SomeAtATime = new() { MaxDegreeOfParallelism = 8 };

    public async Task<ErasedAnswer> EraseAsync(HttpContext context, string tenant, bool withUsage)
    {
        DurableTaskClient? hub = hubs.Of(context).Value;
        // In this order: an orchestration that lives would submit its next job.
        int erasedStrategies = await EraseAsync(await strategies.ListAsync(tenant, CancellationToken.None), id => EraseStrategyAsync(hub, id));
        int erasedBatches = await EraseAsync(await batches.ListAsync(tenant, CancellationToken.None), id => EraseBatchAsync(hub, id));
        IReadOnlyList<RecordItem> items = await store.ListAsync(CancellationToken.None).Where(item => item.Tenant == tenant).ToListAsync(CancellationToken.None);
        int erasedJobs = await EraseAsync([.. items.Select(item => item.Id)], id => jobs.EraseAsync(id, CancellationToken.None));
        IReadOnlyList<string> kept = await responses.ListAsync(tenant, CancellationToken.None).ToListAsync(CancellationToken.None);
        int erasedResponses = await EraseAsync(kept, id => responses.DeleteAsync(id, CancellationToken.None));
        IReadOnlyList<StoredFile> stored = await files.ListAsync(tenant, CancellationToken.None);
        int erasedFiles = await EraseAsync([.. stored.Select(file => file.Id)], id => files.DeleteAsync(id, CancellationToken.None));
        IReadOnlyList<string> submitted = await submissions.ListAsync(tenant, CancellationToken.None).ToListAsync(CancellationToken.None);
        await EraseAsync(submitted, name => submissions.DeleteAsync(name, CancellationToken.None));
        return new(tenant, erasedJobs, erasedStrategies, erasedBatches, erasedFiles, erasedResponses, withUsage ? await EraseUsageAsync(tenant) : null);
    }

    private static async Task<int> EraseAsync(IReadOnlyList<string> ids, Func<string, Task> erase)
    {
        await Parallel.ForEachAsync(ids, SomeAtATime, async (id, _) => await erase(id));
        return ids.Count;
    }

    private async Task EraseStrategyAsync(DurableTaskClient? hub, string id)
    {
        await EndAsync(hub, id);
        await strategies.DeleteAsync(id, CancellationToken.None);
    }

    private async Task EraseBatchAsync(DurableTaskClient? hub, string id)
    {
        await EndAsync(hub, id);
        await BatchContent.DeleteAsync(batches, strategies, id, CancellationToken.None);
    }

    /// <summary>Its history has neither prompts nor answers; one that does not end in time finds nothing to go on with.</summary>
    private Task EndAsync(DurableTaskClient? hub, string id) => hub is null ? Task.CompletedTask : OrchestrationPurge.EndAsync(hub, id, time);

    private async Task<int> EraseUsageAsync(string tenant)
    {
        await book.FlushAsync(CancellationToken.None);
        return await usage.DeleteAllAsync(tenant, CancellationToken.None);
    }
}

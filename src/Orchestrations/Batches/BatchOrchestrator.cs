using Microsoft.DurableTask;

namespace OllamaMax.Orchestrations.Batches;

/// <summary>
/// A batch, page by page: a page is a sub-orchestration, so that no history grows with the batch. Two are under way at a time: while the last lines of
/// one are waited for, the next one fills the slots.
/// </summary>
public sealed class BatchOrchestrator : TaskOrchestrator<BatchInput, BatchProgress>
{
    public const string Name = "batch";

    private const int PagesAtATime = 2;

    /// <summary>What the ids of its pages' orchestrations begin with.</summary>
    public static string PagePrefix(string batchId) => $"{batchId}-";

    public override async Task<BatchProgress> RunAsync(TaskOrchestrationContext context, BatchInput input)
    {
        BatchOpened opened = await context.CallActivityAsync<BatchOpened>(ActivityNames.OpenBatch, input.Id, BranchRuns.Patient);
        if (opened.Error is { } error)
            return new("failed", 0, 0, 0) { Error = error };
        int total = opened.Pages.Sum();
        BatchProgress progress = new("in_progress", total, 0, 0);
        context.SetCustomStatus(progress);

        using CancellationTokenSource noDeadline = new();
        Task cancelled = context.WaitForExternalEvent<string>(EventNames.Cancel);
        Task late = context.CreateTimer(input.Deadline.UtcDateTime, noDeadline.Token);
        int next = 0;
        bool isStopped = false;
        HashSet<int> open = [];
        List<int> unwritten = [];
        Task pages = Task.WhenAll(Enumerable.Range(0, PagesAtATime).Select(_ => LoopAsync()));
        Task first = await Task.WhenAny(pages, cancelled, late);
        isStopped = true;
        noDeadline.Cancel();
        string end = first == pages ? "completed" : first == cancelled ? "cancelled" : "expired";
        context.SetCustomStatus(progress with { State = end == "cancelled" ? "cancelling" : "finalizing" });
        foreach (int page in open)
            context.SendEvent(PageId(input.Id, page), EventNames.Cancel, input.Id);
        // Pages write what they have: nothing that was answered is lost.
        await pages;
        BatchFiles files = await context.CallActivityAsync<BatchFiles>(
            ActivityNames.CloseBatch, new CloseBatchInput(input.Id, next, NewId(), NewId()) { Unwritten = unwritten }, BranchRuns.Patient);
        return progress with { State = end, Files = files };

        async Task LoopAsync()
        {
            while (next < opened.Pages.Count && !isStopped)
            {
                int page = next++;
                open.Add(page);
                BatchPageInput asked = new(input.Id, page, opened.Pages[page], input.MaxParallel / PagesAtATime, input.Retries);
                BatchPageResult result = await PageAsync(asked);
                open.Remove(page);
                progress = progress with { Completed = progress.Completed + result.Completed, Failed = progress.Failed + result.Failed };
                if (!isStopped)
                    context.SetCustomStatus(progress);
            }
        }

        async Task<BatchPageResult> PageAsync(BatchPageInput page)
        {
            try
            {
                return await context.CallSubOrchestratorAsync<BatchPageResult>(
                    BatchPageOrchestrator.Name, page, new SubOrchestrationOptions(instanceId: PageId(input.Id, page.Page)));
            }
            catch (TaskFailedException)
            {
                // That page could not be written; the others are not to be lost with it.
                unwritten.Add(page.Page);
                return new(0, page.Lines);
            }
        }

        string NewId() => Jobs.JobId.From(new DateTimeOffset(context.CurrentUtcDateTime, TimeSpan.Zero), context.NewGuid());
    }

    private static string PageId(string batchId, int page) => $"{PagePrefix(batchId)}{page}";
}

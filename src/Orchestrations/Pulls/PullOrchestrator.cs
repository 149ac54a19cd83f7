using Microsoft.DurableTask;

namespace OllamaMax.Orchestrations.Pulls;

/// <summary>
/// A pull that nobody has to wait for, slice by slice: no activity lasts longer than a function may, and what a server fetched before it died stays for the next slice, wherever
/// that runs. Its custom status is the last <see cref="PullSlice"/>.
/// </summary>
public sealed class PullOrchestrator : TaskOrchestrator<PullInput, PullResult>
{
    public const string Name = "pull";

    /// <summary>Then it begins anew, as no history may grow with the model.</summary>
    private const int SlicesOfOneHistory = 32;

    public override async Task<PullResult> RunAsync(TaskOrchestrationContext context, PullInput input)
    {
        Task cancelled = context.WaitForExternalEvent<string>(EventNames.Cancel);
        PullSlice slice = new(0, 0);
        for (int i = 0; i < SlicesOfOneHistory; i++)
        {
            Task<PullSlice> pulling = SliceAsync(context, input);
            // Whoever runs the slice finds out by itself; what was fetched stays for the next pull.
            if (await Task.WhenAny(pulling, cancelled) == cancelled)
                return Cancelled(slice);
            slice = await pulling;
            context.SetCustomStatus(slice);
            if (slice.IsCancelled)
                return Cancelled(slice);
            if (slice.Error is { } error)
                return new("failed", slice.Completed, slice.Total, error);
            if (slice.IsDone)
                return new("completed", slice.Completed, slice.Total);
        }
        context.ContinueAsNew(input);
        return new("running", slice.Completed, slice.Total);
    }

    private static PullResult Cancelled(PullSlice slice) => new("cancelled", slice.Completed, slice.Total, PullResult.WasCancelled);

    /// <summary>One that cannot be run at all is the pull's failure.</summary>
    private static async Task<PullSlice> SliceAsync(TaskOrchestrationContext context, PullInput input)
    {
        try
        {
            return await context.CallActivityAsync<PullSlice>(ActivityNames.PullSlice, input, BranchRuns.Patient);
        }
        catch (TaskFailedException e)
        {
            return new(0, 0) { Error = e.FailureDetails.ErrorMessage };
        }
    }
}

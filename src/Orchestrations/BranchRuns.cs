using Microsoft.DurableTask;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Orchestrations;

/// <summary>
/// The branches of one orchestration. A branch is a background job, or another one where that has failed; nothing waits while it runs but an event, and a timer
/// in case that is lost.
/// </summary>
/// <param name="maxParallel">Branches that are under way at a time.</param>
/// <param name="retries">Jobs that a branch gets beyond its first, should that fail.</param>
/// <param name="submit">The activity that takes a job on.</param>
/// <param name="isWatched">Whether the orchestration's custom status shows them: nobody looks at the lines of a batch's page, and it would be written with each turn.</param>
internal sealed class BranchRuns(TaskOrchestrationContext context, int maxParallel, int retries, string submit, bool isWatched = true)
{
    /// <summary>Ends that are announced come sooner; this is for those that are not.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(30);

    /// <summary>Where a bound stays full, whatever is said of it, history is not to grow with each line that asks.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(5);

    private readonly List<BranchView> _branches = [];
    private readonly List<Task> _submitting = [];
    private bool _isStopped;

    public IReadOnlyList<BranchView> Branches => [.. _branches];

    /// <summary>Storage may be away for a while.</summary>
    public static TaskOptions Patient { get; } =
        TaskOptions.FromRetryPolicy(new RetryPolicy(6, TimeSpan.FromSeconds(1), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromMinutes(1)));

    /// <summary>Runs a branch to its end; failing is an outcome.</summary>
    /// <param name="request">Without its job's id.</param>
    public async Task<BranchView> RunAsync(string role, SubmitInput request)
    {
        int index = _branches.Count;
        _branches.Add(new BranchView { Index = index, Role = role, Model = request.Model });
        do
            await TryAsync(index, request);
        while (_branches[index] is { Status: RecordStatus.Failed } failed && failed.Jobs <= retries && !_isStopped);
        return _branches[index];
    }

    /// <summary>Runs all of them, so many at a time; the outcomes in the requests' order.</summary>
    public async Task<IReadOnlyList<BranchView>> RunAllAsync(string role, IReadOnlyList<SubmitInput> requests)
    {
        var ended = new BranchView[requests.Count];
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(maxParallel, requests.Count)).Select(_ => LoopAsync()));
        return ended;

        async Task LoopAsync()
        {
            while (next < requests.Count && !_isStopped)
            {
                int mine = next++;
                ended[mine] = await RunAsync(role, requests[mine]);
            }
        }
    }

    /// <summary>No new jobs from here on; those that are under way are cancelled.</summary>
    public async Task StopAsync()
    {
        _isStopped = true;
        // What is being submitted has an id already, but may not be there yet to be cancelled.
        await Task.WhenAll(_submitting);
        List<int> open = [.. _branches.Where(branch => branch.Status is RecordStatus.Queued or RecordStatus.Running).Select(branch => branch.Index)];
        string[] jobs = [.. open.Select(index => _branches[index].JobId).OfType<string>()];
        if (jobs.Length > 0)
            await context.CallActivityAsync<int>(ActivityNames.Cancel, jobs, Patient);
        foreach (int index in open)
            _branches[index] = _branches[index] with { Status = RecordStatus.Cancelled };
        Report();
    }

    private async Task TryAsync(int index, SubmitInput request)
    {
        string jobId = JobId.From(new DateTimeOffset(context.CurrentUtcDateTime, TimeSpan.Zero), context.NewGuid());
        Set(index, _branches[index] with { JobId = jobId, Status = RecordStatus.Queued, Jobs = _branches[index].Jobs + 1, Error = null });
        SubmitOutcome submitted = await SubmitAsync(request with { JobId = jobId });
        for (TimeSpan patience = FirstRetry; submitted.RetryAfter is { } wait && !_isStopped; patience = Longer(patience))
        {
            await context.CreateTimer(wait > patience ? wait : patience, CancellationToken.None);
            submitted = await SubmitAsync(request with { JobId = jobId });
        }
        if (submitted.Error is { } refused)
            Set(index, _branches[index] with { Status = RecordStatus.Failed, Error = refused });
        else
            await WaitAsync(index, jobId);
    }

    private async Task<SubmitOutcome> SubmitAsync(SubmitInput request)
    {
        if (_isStopped)
            return new("the job was cancelled");
        Task<SubmitOutcome> submitting = OutcomeAsync(context.CallActivityAsync<SubmitOutcome>(submit, request, Patient));
        _submitting.Add(submitting);
        SubmitOutcome outcome = await submitting;
        _submitting.Remove(submitting);
        return outcome;
    }

    private async Task WaitAsync(int index, string jobId)
    {
        TimeSpan patience = FirstLook;
        while (!_isStopped)
        {
            if (!await IsToldAsync(jobId, patience))
                patience = Longer(patience);
            BranchEnd? end = await LookAsync(jobId);
            // Stopped meanwhile: what it was then has been said.
            if (_isStopped)
                return;
            if (end is null)
                continue;
            RecordStatus status = end.Status ?? RecordStatus.Failed;
            Set(index, _branches[index] with { Status = status, Error = end.Status is null ? "the job is gone" : end.Error });
            if (status is RecordStatus.Completed or RecordStatus.Failed or RecordStatus.Cancelled)
                return;
        }
    }

    /// <summary>Null: it could not be found out. The job goes on, and so does the wait: an answer is not lost because storage was away for some minutes.</summary>
    private async Task<BranchEnd?> LookAsync(string jobId)
    {
        try
        {
            return await context.CallActivityAsync<BranchEnd>(ActivityNames.Look, jobId, Patient);
        }
        catch (TaskFailedException)
        {
            return null;
        }
    }

    private async Task<bool> IsToldAsync(string jobId, TimeSpan patience)
    {
        try
        {
            await context.WaitForExternalEvent<string>(EventNames.Ended(jobId), patience);
            return true;
        }
        catch (TaskCanceledException)
        {
            return false;
        }
    }

    private static TimeSpan Longer(TimeSpan patience) => patience * 2 < LongestPatience ? patience * 2 : LongestPatience;

    /// <summary>One branch that cannot be submitted is that branch's failure, not the whole's.</summary>
    private static async Task<SubmitOutcome> OutcomeAsync(Task<SubmitOutcome> submitting)
    {
        try
        {
            return await submitting;
        }
        catch (TaskFailedException e)
        {
            return new(e.FailureDetails.ErrorMessage);
        }
    }

    private void Set(int index, BranchView branch)
    {
        if (_branches[index] == branch)
            return;
        _branches[index] = branch;
        Report();
    }

    private void Report()
    {
        if (isWatched)
            context.SetCustomStatus(StrategyProgress.Of(_branches));
    }
}

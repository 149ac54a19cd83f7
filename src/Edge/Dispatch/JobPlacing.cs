using System.Collections.Frozen;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Jobs;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// Which workers the dispatcher deals with: whom a job is pushed to, who is told that one waits, who may have the one that it claims, and what each has in hand.
/// The dispatcher's loop owns it; nothing else may touch it.
/// </summary>
internal sealed class JobPlacing(WorkerDirectory directory, WorkerChannel workers, DispatchMetrics metrics, IOptions<DispatchOptions> options)
{
    /// <summary>What has failed at a worker is for others for so long, where there are any.</summary>
    private static readonly TimeSpan ForOthers = TimeSpan.FromSeconds(10);

    /// <summary>Where there are none it rests: all its attempts could fail within a moment of one shortage, and who has joined meanwhile is to be heard of.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    /// <summary>Null when nobody who may run it has a free slot, as far as is known.</summary>
    public string? Choose(Job job, IReadOnlySet<string> excluded, TimeSpan now) => directory.Choose(job.Model, job.Placement, excluded, now);

    /// <summary>The same for a job that waits already, and may have failed before. Null: nobody may have it now.</summary>
    public string? Choose(JobRun run, TimeSpan now)
    {
        IReadOnlySet<string> excluded = HasNobodyFor(run) ? FrozenSet<string>.Empty : run.Owner.Failures.Workers;
        return Choose(run.Job, excluded, now) is { } workerId && MayHave(workerId, run, now) ? workerId : null;
    }

    /// <summary>Tells those who may run its jobs that something waits in the model's queue.</summary>
    public IEnumerable<Task> Nudge(string model, Band band, PlacementRule rule, TimeSpan now) =>
        directory.ToNudge(model, rule, options.Value.NudgedWorkers, now).Select(id => workers.NudgeAsync(id, model, band));

    /// <summary>Whether the worker may run what it claims: queues are open to all who hold the model, or are told to look.</summary>
    public bool MayHave(string workerId, JobRun run, TimeSpan now)
    {
        if (!directory.MayRun(workerId, run.Job.Placement.Rule))
            return false;
        var (failedAt, last) = run.Owner.Failures;
        return !failedAt.Contains(workerId) || now - last >= (HasNobodyFor(run) ? Rest : ForOthers);
    }

    /// <summary>No worker offers a slot for the job but where it has failed: only a listing tells when one comes that has to be nudged.</summary>
    public bool HasNobodyFor(JobRun run) => directory.Slots(run.Job.Model, run.Job.Placement.Rule, run.Owner.Failures.Workers) == 0;

    /// <summary>A job's attempt has become another one, or the first, or none.</summary>
    public void Count(Attempt? before, Attempt? after, TimeSpan now)
    {
        if (before == after)
            return;
        if (before is not null)
            directory.AddInFlight(before.WorkerId, -1);
        if (after is not null)
        {
            directory.AddInFlight(after.WorkerId, +1);
            metrics.Attempt(isFirst: after.Number == 1);
        }
        ReportSlots(now);
    }

    public void ReportSlots(TimeSpan now)
    {
        var (used, total) = directory.AllSlots(now);
        metrics.SetSlots(used, total);
    }
}

using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Tenants;
using OllamaMax.Jobs;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// What waits at this edge, by model and tenant: who may wait, and whose message goes into the model's queue next. That queue is first come, first
/// served, so only as many messages are in it as workers will soon take; the others are held here, in a <see cref="FairQueue{T}"/>, which costs
/// storage nothing. Jobs that may not run on the same workers wait apart. The dispatcher's loop owns it; nothing else may touch it.
/// </summary>
internal sealed class Backlog(WorkerDirectory directory, IOptions<DispatchOptions> options, IOptions<TenantOptions> tenants)
{
    /// <summary>Messages in a model's queue beyond one for each slot, so that a worker with a free one never finds it empty while something is held.</summary>
    private const int Ahead = 2;

    private readonly Dictionary<(string Model, PlacementRule Rule), Line> _lines = [];
    private readonly Dictionary<string, Tenant> _tenants = [];
    private readonly List<JobRun> _first = [];
    private readonly Throughput _throughput = new();
    private int _held;

    /// <summary>Nobody can wait.</summary>
    public static JobError NoQueue { get; } =
        new(JobErrorKind.Unavailable, "no worker is free and storage cannot be reached; try again later") { RetryAfter = 2 * StoragePatience.WhileSilent };

    /// <summary>A job has come: it counts for its tenant from now on.</summary>
    public void Began(JobRun run)
    {
        if (!_tenants.TryGetValue(run.Job.Tenant, out Tenant? tenant))
            _tenants.Add(run.Job.Tenant, tenant = new Tenant(tenants.Value.Of(run.Job.Tenant)));
        tenant.Jobs++;
    }

    /// <summary>Others wait in the model's queue already, for the same workers, or its tenant has all that it may have: it is not to be pushed.</summary>
    public bool MustWait(JobRun run) =>
        _tenants[run.Job.Tenant].HasMoreThanItMay || (_lines.TryGetValue(KeyOf(run.Job), out Line? line) && line.Queued.Count > 0);

    /// <summary>Takes in a job that has to wait; what comes of it is in <see cref="TakeNext"/>. Null, or why it may not wait.</summary>
    public JobError? Add(JobRun run)
    {
        Line line = LineOf(run.Job);
        Tenant tenant = _tenants[run.Job.Tenant];
        // Who has been accepted before is not turned away, nor sent to the end, as its client has seen text; nor is who has waited for its turn, whose worker came to nothing.
        if (run.Owner.HasBeenAccepted || run.Owner.Put > 1)
            _first.Add(run);
        else if (Refusal(run.Job, line, tenant) is { } refusal)
            return refusal;
        else
            Hold(run, line, tenant);
        tenant.Waiting++;
        run.IsInBacklog = true;
        return null;
    }

    /// <summary>Those whose messages are to go into their models' queues now.</summary>
    public IReadOnlyList<JobRun> TakeNext()
    {
        if (_held == 0 && _first.Count == 0)
            return [];
        List<JobRun> next = [.. _first];
        _first.Clear();
        foreach (JobRun run in next)
            LineOf(run.Job).Queued.Add(run);
        foreach (var ((model, rule), line) in _lines)
        {
            int most = directory.Slots(model, rule) + Ahead;
            while (line.Queued.Count < most && line.Held.TryTake(name => _tenants[name].MayHaveMore, out JobRun run))
            {
                Unhold(run);
                line.Queued.Add(run);
                next.Add(run);
            }
        }
        return next;
    }

    /// <summary>Its message is not in the model's queue: it is among the next again. False where it does not wait any more.</summary>
    public bool PutBack(JobRun run)
    {
        if (!run.IsInBacklog)
            return false;
        LineOf(run.Job).Queued.Remove(run);
        _first.Add(run);
        return true;
    }

    /// <summary>It does not wait any more. Does nothing for one that did not.</summary>
    public void Left(JobRun run)
    {
        if (!run.IsInBacklog)
            return;
        run.IsInBacklog = false;
        _tenants[run.Job.Tenant].Waiting--;
        Line line = LineOf(run.Job);
        if (!line.Queued.Remove(run) && !_first.Remove(run) && line.Held.Remove(run.Job.Tenant, run))
            Unhold(run);
        if (line.Waiting == 0)
            _lines.Remove(KeyOf(run.Job));
    }

    /// <summary>The job is over: its tenant may have another.</summary>
    public void Ended(JobRun run)
    {
        Left(run);
        if (--_tenants[run.Job.Tenant].Jobs == 0)
            _tenants.Remove(run.Job.Tenant);
    }

    /// <summary>A job of the model was answered in this time: from it comes an honest Retry-After.</summary>
    public void Answered(string model, TimeSpan runningTime) => _throughput.Add(model, runningTime);

    private static (string Model, PlacementRule Rule) KeyOf(Job job) => (job.Model, job.Placement.Rule);

    private Line LineOf(Job job)
    {
        if (!_lines.TryGetValue(KeyOf(job), out Line? line))
            _lines.Add(KeyOf(job), line = new Line());
        return line;
    }

    private void Hold(JobRun run, Line line, Tenant tenant)
    {
        line.Held.Add(run.Job.Tenant, tenant.Weight, run);
        tenant.Held++;
        _held++;
    }

    private void Unhold(JobRun run)
    {
        _tenants[run.Job.Tenant].Held--;
        _held--;
    }

    private JobError? Refusal(Job job, Line line, Tenant tenant)
    {
        int slots = directory.Slots(job.Model, job.Placement.Rule);
        if (tenant.Waiting >= tenant.MaxWaiting)
        {
            return new JobError(JobErrorKind.OverLimit, $"too many requests: {tenant.Waiting} of tenant '{job.Tenant}' wait already")
            {
                RetryAfter = _throughput.RetryAfter(job.Model, (int)Math.Ceiling(tenant.Waiting / ShareOf(job.Tenant, line)), slots),
            };
        }
        // A full backlog turns away those who fill it: who has less than its share waiting is let in all the same. So there are at most twice as many.
        if (line.Waiting < options.Value.MaxBacklog || line.CountOf(job.Tenant) < Math.Floor(options.Value.MaxBacklog * ShareOf(job.Tenant, line)))
            return null;
        return new JobError(JobErrorKind.Busy, $"the server is busy: {line.Waiting} requests for this model wait already")
        {
            RetryAfter = _throughput.RetryAfter(job.Model, line.Waiting, slots),
        };
    }

    /// <summary>Its weight beside those who wait for the model too.</summary>
    private double ShareOf(string tenant, Line line)
    {
        double own = _tenants[tenant].Weight;
        return own / (own + line.Tenants.Where(other => other != tenant).Sum(other => _tenants[other].Weight));
    }

    /// <summary>What waits for a model.</summary>
    private sealed class Line
    {
        public FairQueue<JobRun> Held { get; } = new();

        /// <summary>Those whose message is in storage, or on its way there.</summary>
        public HashSet<JobRun> Queued { get; } = [];

        public int Waiting => Held.Count + Queued.Count;

        public IEnumerable<string> Tenants => Held.Tenants.Concat(Queued.Select(run => run.Job.Tenant)).Distinct();

        public int CountOf(string tenant) => Held.CountOf(tenant) + Queued.Count(run => run.Job.Tenant == tenant);
    }

    /// <summary>A tenant that has jobs at this edge.</summary>
    private sealed class Tenant(TenantLimits limits)
    {
        public int Jobs { get; set; }

        public int Waiting { get; set; }

        /// <summary>Of those that wait, the ones that no worker can take yet.</summary>
        public int Held { get; set; }

        public double Weight => limits.Weight!.Value;

        public int MaxWaiting => limits.MaxWaiting ?? int.MaxValue;

        public bool MayHaveMore => limits.MaxInFlight is not { } most || Jobs - Held < most;

        public bool HasMoreThanItMay => limits.MaxInFlight is { } most && Jobs - Held > most;
    }
}

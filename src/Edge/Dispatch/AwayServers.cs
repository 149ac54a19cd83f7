using Microsoft.Extensions.Options;
using OllamaMax.Edge.Cluster;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// How long jobs wait for models that workers forward to while none of them offers it. No other worker can fetch such a model, as it could one of the cluster's own: only its server can come
/// back, or the worker beside it. They may just be starting again, so it is waited for them, but not for as long as a request may take.
/// The dispatcher's loop owns it; nothing else may touch it.
/// </summary>
internal sealed class AwayServers(WorkerDirectory directory, IOptions<DispatchOptions> options)
{
    /// <summary>Null, or why the job waits no longer.</summary>
    public JobError? Look(JobRun run, TimeSpan now)
    {
        if (!run.Owner.IsWaiting || directory.Slots(run.Job.Model, run.Job.Placement.Rule) > 0 || !ForwardedDigest.Is(run.Job.Model))
        {
            run.UnofferedSince = null;
            return null;
        }
        run.UnofferedSince ??= now;
        TimeSpan wait = options.Value.ServerWait;
        if (now - run.UnofferedSince < wait)
            return null;
        string last = run.Owner.LastFailure is { } why ? $"; the last attempt: {why}" : "";
        return new JobError(
            JobErrorKind.Unavailable, $"no worker has offered '{run.Job.ModelName ?? run.Job.Model}' for {wait.TotalSeconds:0} seconds: the server that it runs on, or the worker beside it, is away or drains{last}");
    }
}

using System.Diagnostics;
using OllamaMax.Diagnostics;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>A job that this edge owns: who decides about it, and where its output goes.</summary>
internal sealed class JobRun(JobOwner owner, JobOutputLog log, TimeSpan startedAt)
{
    public JobOwner Owner { get; } = owner;

    public Job Job => Owner.Job;

    public JobOutputLog Log { get; } = log;

    public TimeSpan StartedAt { get; } = startedAt;

    /// <summary>Echoes that the edge had heard when the job came.</summary>
    public long EchoesBefore { get; set; }

    public TimeSpan AcceptedAt { get; set; }

    /// <summary>The <see cref="Backlog"/>'s own mark: it counts among those that wait.</summary>
    public bool IsInBacklog { get; set; }

    /// <summary><see cref="JobQueueing"/>'s own mark: since when its message has been on its way into the queue, repetitions included; null while none is.</summary>
    public TimeSpan? PutSince { get; set; }

    /// <summary>What the attempt is granted with, ready to be sent; set before its owner is told that it is.</summary>
    public GrantMessage? Grant { get; set; }

    /// <summary>Where the job lies in the clear when it is too large for a message, for any attempt; under a seal it is put anew for each.</summary>
    public string? PayloadUrl { get; set; }

    /// <summary>The job has been put into storage, or was to be: with an error it may lie there nevertheless.</summary>
    public bool HasPayload { get; set; }

    /// <summary><see cref="AwayServers"/>' own mark: since when it has waited and nobody has offered its model; null where somebody does.</summary>
    public TimeSpan? UnofferedSince { get; set; }

    public CancellationTokenRegistration ClientLeft { get; set; }

    /// <summary>The time that it has waited, as a span under the request's; known only when it is over.</summary>
    /// <param name="at">The moment, on the calendar.</param>
    /// <param name="now">The same moment, on the clock of <see cref="StartedAt"/>.</param>
    public void TraceWait(DateTimeOffset at, TimeSpan now)
    {
        using Activity? wait = Telemetry.Source.StartActivity("wait", ActivityKind.Internal, Job.TraceParent, startTime: at - (now - StartedAt));
        wait?.SetTag("ollamamax.job", Job.Id).SetTag("ollamamax.worker", Owner.Attempt?.WorkerId);
    }

    /// <summary>Time until its deadline; zero where that has passed.</summary>
    public TimeSpan Remaining(TimeSpan now)
    {
        TimeSpan remaining = Job.Deadline - (now - StartedAt);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }
}

using System.Collections.Concurrent;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Security;

namespace OllamaMax.Edge.Dispatch;

/// <summary>A job that this edge owns: who decides about it, and where its output goes.</summary>
internal sealed class JobRun(JobOwner owner, JobOutputLog log, TimeSpan startedAt)
{
    public JobOwner Owner { get; } = owner;

    public Job Job => Owner.Job;

    public JobOutputLog Log { get; } = log;

    public TimeSpan StartedAt { get; } = startedAt;

    public TimeSpan AcceptedAt { get; set; }

    /// <summary>The <see cref="Backlog"/>'s own mark: it counts among those that wait.</summary>
    public bool IsInBacklog { get; set; }

    /// <summary>Where the job lies when it is too large for a message; set by the first grant, and by each that seals it anew.</summary>
    public Task<string>? Payload { get; set; }

    /// <summary>Those of its attempts, by their nonces, where payloads are encrypted: an attempt that is over may still be heard.</summary>
    public ConcurrentDictionary<string, AttemptSeal> Seals { get; } = [];

    public CancellationTokenRegistration ClientLeft { get; set; }

    /// <summary>Time until its deadline; zero where that has passed.</summary>
    public TimeSpan Remaining(TimeSpan now)
    {
        TimeSpan remaining = Job.Deadline - (now - StartedAt);
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }
}

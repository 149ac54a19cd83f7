namespace OllamaMax.Jobs;

/// <summary>Why a job has no (whole) answer. Each API gives it its own shape and status.</summary>
public sealed record JobError(JobErrorKind Kind, string Message)
{
    /// <summary>An answer has begun, its attempt is over, and no other one can go on from there.</summary>
    public static JobError Broken(string? why) =>
        new(JobErrorKind.Failed, $"the answer broke off, and the server that the model runs on cannot go on with it: {why}");

    /// <summary>With <see cref="JobErrorKind.Invalid"/>: it does not fit into the context.</summary>
    public ContextExcess? Excess { get; init; }

    /// <summary>When trying again makes sense, from measured throughput; only with <see cref="JobErrorKind.Busy"/> and <see cref="JobErrorKind.OverLimit"/>.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

public enum JobErrorKind
{
    /// <summary>The request itself cannot be run (400).</summary>
    Invalid,

    /// <summary>The backlog is at its bound, or nobody can serve the model now (503, Retry-After).</summary>
    Busy,

    /// <summary>The deadline passed (504).</summary>
    DeadlineExceeded,

    /// <summary>Every attempt failed (500).</summary>
    Failed,

    /// <summary>Storage or SignalR cannot be reached (503).</summary>
    Unavailable,

    /// <summary>The client asked for it, or left (499).</summary>
    Cancelled,

    /// <summary>The tenant has as many jobs as it may have (429, Retry-After).</summary>
    OverLimit,
}

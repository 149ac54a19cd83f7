using OllamaMax.Streaming;

namespace OllamaMax.Workers.Attempts;

/// <summary>A message that this worker took from a queue, and a slot held for it, until the owner grants or denies.</summary>
internal sealed class PendingClaim(QueuedJob job, Claim claim, TimeSpan now)
{
    /// <summary>An unanswered claim is repeated after this; message or answer may have been lost.</summary>
    public static readonly TimeSpan RepeatAfter = TimeSpan.FromMilliseconds(700);

    /// <summary>After so many the owner is taken for gone; the message becomes visible to others by itself.</summary>
    public const int MaxTries = 4;

    public QueuedJob Job { get; } = job;

    public Claim Claim { get; } = claim;

    public TimeSpan AskedAt { get; set; } = now;

    public int Tries { get; set; } = 1;
}

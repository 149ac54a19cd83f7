using OllamaMax.Jobs.Records;

namespace OllamaMax.Jobs.Owning;

/// <summary>What an owner wants done. It only decides; whoever drives it sends and stores, and reports back.</summary>
public abstract record OwnerEffect
{
    private OwnerEffect()
    {
    }

    /// <summary>Choose a worker with a free slot, none of the excluded ones, and report by <see cref="JobOwner.Placed"/>.</summary>
    public sealed record Place(IReadOnlySet<string> Excluded) : OwnerEffect;

    /// <summary>Make what an attempt is granted with and report by <see cref="JobOwner.Prepared"/>, <see cref="JobOwner.NotPrepared"/> or <see cref="JobOwner.NotEntitled"/>.</summary>
    /// <param name="Resume">The tokens that it goes on from.</param>
    public sealed record Prepare(Attempt Attempt, IReadOnlyList<int> Resume) : OwnerEffect;

    /// <summary>Send the grant that was prepared for an attempt; the same one may be asked for twice.</summary>
    public sealed record Grant(Attempt Attempt) : OwnerEffect;

    /// <summary>Put a message into the model's queue and report by <see cref="JobOwner.Enqueued"/> or <see cref="JobOwner.EnqueueFailed"/>.</summary>
    public sealed record Enqueue : OwnerEffect;

    /// <summary>Delete a queue message; one that is gone already is fine.</summary>
    public sealed record DeleteMessage(string MessageId, string PopReceipt) : OwnerEffect;

    /// <summary>Tell workers that something waits.</summary>
    public sealed record Nudge : OwnerEffect;

    /// <summary>Tell a worker that its claim is refused.</summary>
    public sealed record Deny(string WorkerId) : OwnerEffect;

    /// <summary>Tell a worker to stop an attempt.</summary>
    public sealed record Stop(string WorkerId, string Nonce) : OwnerEffect;

    /// <summary>Acknowledge now, as something is missing or all is there.</summary>
    public sealed record Acknowledge(string WorkerId, Streaming.Ack Ack) : OwnerEffect;

    /// <summary>The worker did not answer: think less of it until it is heard again.</summary>
    public sealed record Suspect(string WorkerId) : OwnerEffect;

    /// <summary>An attempt that had begun is over and has not come to the job's end.</summary>
    /// <param name="Attempt">Its time is the owner's clock since the epoch.</param>
    public sealed record AttemptFailed(FailedAttempt Attempt) : OwnerEffect;

    /// <summary>Too many attempts have failed: keep a record of the job for operators. Its end is told apart from this, after it.</summary>
    /// <param name="History">The attempts; their times are the owner's clock since the epoch.</param>
    public sealed record SetAside(JobError Error, IReadOnlyList<FailedAttempt> History) : OwnerEffect;

    /// <summary>Give this to whoever reads the answer.</summary>
    public sealed record Emit(JobOutput Output) : OwnerEffect;
}

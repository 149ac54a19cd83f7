using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>What came of making a grant.</summary>
/// <param name="Grant">Null: it is not to be sent.</param>
/// <param name="Error">Why not; null beside no grant: its worker may be granted nothing.</param>
internal sealed record PreparedGrant(GrantMessage? Grant, JobError? Error = null)
{
    /// <summary>Tells the job's owner, who asked for it.</summary>
    /// <param name="nonce">Of the attempt.</param>
    public void Tell(JobOwner owner, string nonce, TimeSpan now)
    {
        if (Grant is not null)
            owner.Prepared(nonce, now);
        else if (Error is not null)
            owner.NotPrepared(nonce, Error);
        else
            owner.NotEntitled(nonce);
    }
}

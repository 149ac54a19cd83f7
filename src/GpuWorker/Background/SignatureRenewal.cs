using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Background;

/// <summary>When the signatures of a job are to be renewed: when half of their time is over, or as soon as storage refuses one. Not safe for concurrent use.</summary>
internal sealed class SignatureRenewal(TimeProvider time)
{
    /// <summary>Where no edge answers.</summary>
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(30);

    private TimeSpan _triedAt;
    private TimeSpan _dueAt = TimeSpan.MaxValue;
    private TimeSpan _lease;

    public bool IsDue => time.Elapsed() >= _dueAt;

    public void Renewed(JobClaimGrant grant)
    {
        _lease = grant.Lease;
        TriedNow(grant.ValidFor / 2);
    }

    public void NotRenewed() => TriedNow(TryAgain);

    /// <summary>Their time is over, whatever was said of it. Where fresh ones are refused as well, a few are asked for in each lease, and not one after the other.</summary>
    public void Refused()
    {
        TimeSpan soonest = _triedAt + (_lease / 3);
        _dueAt = soonest < _dueAt ? soonest : _dueAt;
    }

    private void TriedNow(TimeSpan next)
    {
        _triedAt = time.Elapsed();
        _dueAt = _triedAt + next;
    }
}

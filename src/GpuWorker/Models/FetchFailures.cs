using OllamaMax.Replication;

namespace OllamaMax.GpuWorker.Models;

/// <summary>
/// Copies that could not be had: for a while the leader is told of each, and does not have it tried here. A request that needs the model has it tried all the same, unless people have
/// ended it: that is to hold, or whoever waits for the model would begin it again at once.
/// </summary>
internal sealed class FetchFailures(TimeProvider time)
{
    private static readonly TimeSpan After = TimeSpan.FromMinutes(2);

    /// <summary>Each time that it is tried in vain the while is twice as long, up to this: what cannot be had today may be tomorrow.</summary>
    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(32);

    /// <summary>People did not want it: longer than it takes them to change the policy that did.</summary>
    private static readonly TimeSpan AfterCancel = TimeSpan.FromMinutes(15);

    /// <summary>Of each kind. One that is pushed out begins again.</summary>
    private const int Most = 16;

    private readonly List<(ReplicaTransfer Transfer, long At)> _failures = [];
    private readonly Dictionary<string, TimeSpan> _whiles = [];

    public void Add(ReplicaTransfer failed)
    {
        // Requests may have it tried many times in one while.
        if (failed.Cancelled != true && Find(failed.Digest) is null)
        {
            TimeSpan next = _whiles.TryGetValue(failed.Digest, out TimeSpan last) ? last * 2 : After;
            _whiles[failed.Digest] = next < AtMost ? next : AtMost;
        }
        _failures.RemoveAll(failure => failure.Transfer.Digest == failed.Digest);
        if (_failures.Count(other => other.Transfer.Cancelled == failed.Cancelled) == Most)
            _failures.RemoveAt(_failures.FindIndex(other => other.Transfer.Cancelled == failed.Cancelled));
        _failures.Add((failed, time.GetTimestamp()));
    }

    /// <summary>It is here, or wanted anew.</summary>
    public void Forget(string digest)
    {
        _failures.RemoveAll(failure => failure.Transfer.Digest == digest);
        _whiles.Remove(digest);
    }

    public ReplicaTransfer? Find(string digest) => Recent().FirstOrDefault(failed => failed.Digest == digest);

    /// <summary>How long the copy is still not to be made, as people have ended it; zero: it may be.</summary>
    public TimeSpan HeldFor(string digest) =>
        _failures.Where(failure => failure.Transfer is { Cancelled: true } && failure.Transfer.Digest == digest).Select(Left).Where(left => left > TimeSpan.Zero).SingleOrDefault();

    public IReadOnlyList<ReplicaTransfer> Recent()
    {
        _failures.RemoveAll(failure => Left(failure) <= TimeSpan.Zero);
        return [.. _failures.Select(failure => failure.Transfer)];
    }

    private TimeSpan Left((ReplicaTransfer Transfer, long At) failure) =>
        (failure.Transfer.Cancelled == true ? AfterCancel : _whiles.GetValueOrDefault(failure.Transfer.Digest, After)) - time.GetElapsedTime(failure.At);
}

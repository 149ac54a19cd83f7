using OllamaMax.Replication;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Copies that could not be had: for a while the leader is told of each, and does not have it tried here. A request that needs the model has it tried all the same.</summary>
internal sealed class FetchFailures(TimeProvider time)
{
    private static readonly TimeSpan After = TimeSpan.FromMinutes(2);

    /// <summary>People did not want it: longer than it takes them to change the policy that did.</summary>
    private static readonly TimeSpan AfterCancel = TimeSpan.FromMinutes(15);

    private const int Most = 4;

    private readonly List<(ReplicaTransfer Transfer, long At, TimeSpan For)> _failures = [];

    public void Add(ReplicaTransfer failed, bool isUnwanted)
    {
        Forget(failed.Digest);
        if (_failures.Count == Most)
            _failures.RemoveAt(0);
        _failures.Add((failed, time.GetTimestamp(), isUnwanted ? AfterCancel : After));
    }

    public void Forget(string digest) => _failures.RemoveAll(failure => failure.Transfer.Digest == digest);

    public ReplicaTransfer? Find(string digest) => Recent().FirstOrDefault(failed => failed.Digest == digest);

    public IReadOnlyList<ReplicaTransfer> Recent()
    {
        _failures.RemoveAll(failure => time.GetElapsedTime(failure.At) >= failure.For);
        return [.. _failures.Select(failure => failure.Transfer)];
    }
}

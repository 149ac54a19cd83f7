using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Storage.Workers;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// Brings revocations to their end that were cut off: the edge died, or storage went away, when the wish was put and the worker was still enrolled. Costs a listing where anybody is
/// revoked, once for each state that others have written.
/// </summary>
internal sealed partial class RevocationsReconciler(
    ClusterDocuments documents, WorkerEnrolments enrolments, WorkerWishes wishes, ILogger<RevocationsReconciler> logger) : IReconciler
{
    private IReadOnlyDictionary<string, DateTimeOffset>? _seen;

    public string Name => "revocations";

    public TimeSpan Every => TimeSpan.Zero;

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        if (documents.State.Last?.Content.Revoked is not { Count: > 0 } revoked || ReferenceEquals(revoked, _seen))
            return true;
        await foreach (string worker in enrolments.ListIdsAsync(cancellationToken).Where(revoked.ContainsKey))
        {
            await wishes.ShutOutAsync(worker, cancellationToken);
            LogShutOut(worker);
        }
        _seen = revoked;
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is revoked and was still enrolled; it is not any more")]
    private partial void LogShutOut(string worker);
}

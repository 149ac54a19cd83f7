using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster.Leading;

namespace OllamaMax.Edge.Webhooks;

/// <summary>Goes on with telling operators what edges have left that are no more.</summary>
internal sealed class LeftNotices(NoticeOutbox outbox, OperatorNotices notices) : IReconciler
{
    public string Name => "left-notices";

    public TimeSpan Every => TimeSpan.FromMinutes(1);

    /// <summary>Costs nothing where nobody is to be told.</summary>
    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        if (!notices.IsOn)
            return true;
        foreach (PendingNotice left in await outbox.TakeAsync(cancellationToken))
            await notices.ResumeAsync(left, cancellationToken);
        return true;
    }
}

using OllamaMax.Storage.Queues;

namespace OllamaMax.Edge.Webhooks;

/// <summary>A notice on its way to one address.</summary>
/// <param name="target">Of the address, without what it may hold of secrets (<see cref="NoticeOutbox.TargetOf"/>).</param>
internal sealed class PendingNotice(string target, Notice notice, QueueHold? hold)
{
    private volatile QueueHold? _hold = hold;

    public string Target => target;

    public Notice Notice => notice;

    /// <summary>What keeps it should this edge end; null: storage did not take it.</summary>
    public QueueHold? Hold
    {
        get => _hold;
        set => _hold = value;
    }
}

using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace OllamaMax.Storage.Queues;

/// <summary>The queue <c>notices</c>: what operators are still to be told, hidden while an edge tries. Should that edge end, it shows.</summary>
public sealed class NoticeQueue(StorageAccount account, TimeProvider time)
{
    public const string Name = "notices";

    /// <summary>What storage gives at once at most.</summary>
    private const int Most = 32;

    /// <summary>Who could not be told in a day need not be told any more.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    private QueueClient Queue => account.Queues.GetQueueClient(Name);

    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<QueueHold> PutAsync(string text, TimeSpan hidden, CancellationToken cancellationToken)
    {
        QueueClient queue = Queue;
        return new(queue, await queue.SendOrCreateAsync(text, hidden, Lifetime, cancellationToken), text, time);
    }

    /// <summary>Messages that nobody has, hidden from now on.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<(string Text, QueueHold Hold)>> TakeAsync(TimeSpan hidden, CancellationToken cancellationToken)
    {
        QueueClient queue = Queue;
        try
        {
            QueueMessage[] messages = await queue.ReceiveMessagesAsync(Most, hidden, cancellationToken);
            return [.. messages.Select(message => (message.MessageText, new QueueHold(queue, message, time)))];
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            // Nobody has had to be told anything yet.
            return [];
        }
    }
}

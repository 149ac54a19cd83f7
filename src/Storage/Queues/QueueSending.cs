using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace OllamaMax.Storage.Queues;

internal static class QueueSending
{
    /// <summary>Puts a message, and makes the queue where there is none: asking each time whether there is one would cost as much as the message.</summary>
    /// <param name="queue">Where to.</param>
    /// <param name="text">The message.</param>
    /// <param name="visibility">Hidden for so long at first; null: not.</param>
    /// <param name="lifetime">When to vanish by itself; -1 s for never.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public static async Task<SendReceipt> SendOrCreateAsync(this QueueClient queue, string text, TimeSpan? visibility, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        try
        {
            return await queue.SendMessageAsync(text, visibility, lifetime, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            await queue.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            return await queue.SendMessageAsync(text, visibility, lifetime, cancellationToken);
        }
    }
}

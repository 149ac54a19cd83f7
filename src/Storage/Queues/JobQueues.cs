using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Azure.Storage.Sas;
using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Queues;

/// <summary>The models' queues, from the owner's side: it alone puts and deletes.</summary>
public sealed class JobQueues(StorageAccount account, TimeProvider time)
{
    /// <summary>How long an address lasts that is signed here.</summary>
    public static readonly TimeSpan SignatureLifetime = TimeSpan.FromMinutes(15);

    /// <param name="lifetime">When to vanish by itself, should the owner die; -1 s for never.</param>
    /// <exception cref="RequestFailedException">Storage refused.</exception>
    public async Task<(string MessageId, string PopReceipt)> EnqueueAsync(QueuedJob job, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        string text = JsonSerializer.Serialize(job, ProtocolJson.Default.QueuedJob);
        QueueClient queue = account.Queues.GetQueueClient(JobQueueName.For(job.Model, job.Band));
        SendReceipt receipt = await queue.SendOrCreateAsync(text, visibility: null, lifetime, cancellationToken);
        return (receipt.MessageId, receipt.PopReceipt);
    }

    /// <summary>Messages in each of the queues that there are, by the queue's name, hidden ones counted in; approximate, as storage counts.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyDictionary<string, int>> CountAsync(CancellationToken cancellationToken)
    {
        List<string> names = [];
        await foreach (QueueItem queue in account.Queues.GetQueuesAsync(prefix: JobQueueName.Prefix, cancellationToken: cancellationToken))
            names.Add(queue.Name);
        (string Name, int? Count)[] counts = await Task.WhenAll(names.Select(async name => (name, await CountAsync(name, cancellationToken))));
        return counts.Where(queue => queue.Count is not null).ToDictionary(queue => queue.Name, queue => queue.Count!.Value);
    }

    /// <summary>Messages in one queue, as <see cref="CountAsync(CancellationToken)"/> counts; 0 where there is no queue.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<int> CountAsync(string model, Band band, CancellationToken cancellationToken) => await CountAsync(JobQueueName.For(model, band), cancellationToken) ?? 0;

    /// <summary>Deletes a message. One that is gone, or in other hands by now, is left alone: whoever has it will claim it and be denied.</summary>
    public async Task DeleteAsync(string model, Band band, string messageId, string popReceipt, CancellationToken cancellationToken)
    {
        try
        {
            await account.Queues.GetQueueClient(JobQueueName.For(model, band)).DeleteMessageAsync(messageId, popReceipt, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status == 404 || e.ErrorCode == QueueErrorCode.PopReceiptMismatch)
        {
        }
    }

    /// <summary>Has a message that somebody holds show again after so long. One that is gone, or in other hands by now, is left alone.</summary>
    /// <param name="after">Whole seconds.</param>
    public async Task PutBackAsync(string model, Band band, string messageId, string popReceipt, TimeSpan after, CancellationToken cancellationToken)
    {
        try
        {
            // Without a text the message keeps its own.
            await account.Queues.GetQueueClient(JobQueueName.For(model, band))
                .UpdateMessageAsync(messageId, popReceipt, visibilityTimeout: after, cancellationToken: cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status == 404 || e.ErrorCode == QueueErrorCode.PopReceiptMismatch)
        {
        }
    }

    /// <summary>
    /// The queue's address with a signature that allows to get, renew and delete messages, not to put any, for <see cref="SignatureLifetime"/> from now on: who is told how long it lasts
    /// holds a message by it.
    /// </summary>
    public string SignedUrl(string model, Band band)
    {
        QueueClient queue = account.Queues.GetQueueClient(JobQueueName.For(model, band));
        return queue.GenerateSasUri(QueueSasPermissions.Process | QueueSasPermissions.Update, time.GetUtcNow() + SignatureLifetime).ToString();
    }

    /// <summary>
    /// Deletes a queue without messages, hidden ones counted in. Storage does that under no condition, so it must be one that nobody puts anything into any more; and for half a
    /// minute it lets nobody make it again.
    /// </summary>
    /// <param name="name">As <see cref="JobQueueName.For"/> made it.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    /// <returns>False: it has messages, or is gone.</returns>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<bool> DeleteEmptyAsync(string name, CancellationToken cancellationToken) =>
        await CountAsync(name, cancellationToken) == 0 && await account.Queues.GetQueueClient(name).DeleteIfExistsAsync(cancellationToken);

    /// <summary>Null where it has just been deleted.</summary>
    private async Task<int?> CountAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await account.Queues.GetQueueClient(name).GetPropertiesAsync(cancellationToken)).Value.ApproximateMessagesCount;
        }
        catch (RequestFailedException e) when (QueueErrors.IsNoQueue(e))
        {
            return null;
        }
    }
}

using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Azure.Storage.Sas;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>The queue <c>completions</c>: workers add, edges (or a queue trigger) take. A hint, not the truth: that an attempt has ended stands in its output.</summary>
public sealed class CompletionQueue(StorageAccount account)
{
    public const string Name = "completions";

    /// <summary>What storage gives at once at most.</summary>
    public const int Most = 32;

    private static readonly TimeSpan Visibility = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ForGood = TimeSpan.FromSeconds(-1);

    private bool _exists;

    private QueueClient Queue => account.Queues.GetQueueClient(Name);

    /// <summary>The queue's address with leave to add and nothing else. Makes the queue where it is missing.</summary>
    public async Task<string> AddUrlAsync(DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        if (!_exists)
            await Queue.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
        _exists = true;
        return Queue.GenerateSasUri(QueueSasPermissions.Add, expiresAt).ToString();
    }

    /// <summary>From an edge: where no worker announces an end.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task AddAsync(JobCompletion completion, CancellationToken cancellationToken) => Queue.SendOrCreateAsync(Text(completion), visibility: null, ForGood, cancellationToken);

    /// <param name="queue">By the address that <see cref="AddUrlAsync"/> gave.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public static Task AddAsync(QueueClient queue, JobCompletion completion, CancellationToken cancellationToken) => queue.SendMessageAsync(
        Text(completion), timeToLive: ForGood, cancellationToken: cancellationToken);

    /// <summary>Messages that nobody else has; they come again unless deleted.</summary>
    public async Task<IReadOnlyList<QueueMessage>> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            QueueMessage[] messages = await Queue.ReceiveMessagesAsync(Most, Visibility, cancellationToken);
            return messages;
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            // No background job has been claimed yet.
            return [];
        }
    }

    public Task DeleteAsync(QueueMessage message, CancellationToken cancellationToken) =>
        Queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, cancellationToken);

    private static string Text(JobCompletion completion) => JsonSerializer.Serialize(completion, ProtocolJson.Default.JobCompletion);
}

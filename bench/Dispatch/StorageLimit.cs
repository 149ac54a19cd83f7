using System.Diagnostics;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using OllamaMax.Storage;

namespace OllamaMax.Bench.Dispatch;

/// <summary>What a storage's queues can take at most: a Put and a Delete, over and over, and nothing else.</summary>
internal sealed class StorageLimit
{
    /// <summary>About what a queued job's message has.</summary>
    private static readonly string s_message = new('x', 600);

    private readonly QueueClient _queue;

    private StorageLimit(QueueClient queue) => _queue = queue;

    public static async Task<StorageLimit> CreateAsync(string storage, CancellationToken cancellationToken)
    {
        QueueClient queue = new StorageAccount(storage).Queues.GetQueueClient("bench-limit");
        await queue.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
        return new(queue);
    }

    /// <returns>Pairs a second, over so many connections at once.</returns>
    public async Task<double> PairsPerSecondAsync(int connections, TimeSpan duration, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        int[] pairs = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(RunAsync, cancellationToken)));
        return pairs.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;

        async Task<int> RunAsync()
        {
            int done = 0;
            for (; Stopwatch.GetElapsedTime(start) < duration; done++)
            {
                SendReceipt receipt = await _queue.SendMessageAsync(s_message, cancellationToken);
                await _queue.DeleteMessageAsync(receipt.MessageId, receipt.PopReceipt, cancellationToken);
            }
            return done;
        }
    }
}

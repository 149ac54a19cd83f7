using Azure.Core;
using Azure.Core.Pipeline;
using OllamaMax.Workers;

namespace OllamaMax.Storage;

/// <summary>Counts what this process asks of the storage account, by what it is billed as; each try, as each is billed.</summary>
public sealed class StorageOperations
{
    private long _reads;
    private long _writes;
    private long _lists;
    private long _queue;

    /// <summary>Blobs read or looked at.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>Blobs, blocks, leases and metadata written. Deletions are free, and are not counted.</summary>
    public long Writes => Interlocked.Read(ref _writes);

    public long Lists => Interlocked.Read(ref _lists);

    /// <summary>Everything that is done to a queue.</summary>
    public long Queue => Interlocked.Read(ref _queue);

    /// <summary>All of it now.</summary>
    public StorageCounts Count() => new(Reads, Writes, Lists, Queue);

    internal HttpPipelinePolicy Blobs => new Policy(CountBlob);

    internal HttpPipelinePolicy Queues => new Policy(_ => Interlocked.Increment(ref _queue));

    private void CountBlob(Request request)
    {
        if (request.Method == RequestMethod.Delete)
            return;
        bool isRead = request.Method == RequestMethod.Get || request.Method == RequestMethod.Head;
        ref long count = ref _writes;
        if (isRead && request.Uri.Query.Contains("comp=list", StringComparison.Ordinal))
            count = ref _lists;
        else if (isRead)
            count = ref _reads;
        Interlocked.Increment(ref count);
    }

    private sealed class Policy(Action<Request> count) : HttpPipelineSynchronousPolicy
    {
        public override void OnSendingRequest(HttpMessage message) => count(message.Request);
    }
}

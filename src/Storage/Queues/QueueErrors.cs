using Azure;
using Azure.Storage.Queues.Models;

namespace OllamaMax.Storage.Queues;

public static class QueueErrors
{
    /// <summary>There is no such queue, or it has just been deleted.</summary>
    public static bool IsNoQueue(RequestFailedException e) => e.ErrorCode == QueueErrorCode.QueueNotFound || e.ErrorCode == QueueErrorCode.QueueBeingDeleted;
}

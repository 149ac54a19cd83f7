using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Cluster;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Dispatch;

/// <summary>What has to be there before a job is given to anybody: the connection that workers answer on, and a listing of them.</summary>
internal sealed partial class Readiness(EdgeListener listener, ClusterWatch watch, StoragePatience storage, ILogger<Readiness> logger)
{
    private static readonly Task<JobError?> Ready = Task.FromResult<JobError?>(null);

    private static readonly TimeSpan ViewIsFresh = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ViewIsUsable = TimeSpan.FromSeconds(60);

    /// <summary>An edge that has just started, or lost its connection, takes jobs on in the hope to be connected soon.</summary>
    public static readonly TimeSpan ConnectsWithin = TimeSpan.FromSeconds(5);

    public static JobError Unreachable { get; } = new(JobErrorKind.Unavailable, "SignalR cannot be reached; try again later");

    /// <summary>Ends at once where all is there. Null, or why nothing can be given to anybody.</summary>
    public Task<JobError?> WaitAsync(string requestId)
    {
        if (!listener.IsConnected || watch.Age > ViewIsUsable)
            return PrepareAsync(requestId);
        watch.RefreshInBackground(ViewIsFresh);
        return Ready;
    }

    private async Task<JobError?> PrepareAsync(string requestId)
    {
        // Without SignalR no worker can be asked: better to say so than to let clients wait for nothing.
        if (!listener.IsConnected && !await listener.WaitUntilConnectedAsync(ConnectsWithin))
            return Unreachable;
        try
        {
            await storage.WaitAsync(token => watch.GetAsync(ViewIsUsable, token), CancellationToken.None);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // Without a listing nobody can be chosen; the queue will tell whether storage is there.
            LogListingFailed(e, requestId);
        }
        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request {RequestId} is placed without a listing of the workers")]
    private partial void LogListingFailed(Exception exception, string requestId);
}

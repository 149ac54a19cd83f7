using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Cluster;

/// <summary>Puts what people wish for workers into the cluster's state. Needs no leader: edges go by the wish at once, and the leader tells the worker.</summary>
internal sealed partial class DrainWishes(ClusterDocuments documents, ClusterNudges nudges, TimeProvider time, ILogger<DrainWishes> logger)
{
    /// <summary>Null, or why not. One that is there already is put again without effect.</summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    public async Task<ApiError?> PutAsync(string workerId, bool toDrain, CancellationToken cancellationToken)
    {
        string id = Guid.NewGuid().ToString("n");
        ClusterCommand.Wish wish = toDrain ? new ClusterCommand.Drain(id, workerId, time.GetUtcNow()) : new ClusterCommand.Undrain(id, workerId);
        try
        {
            LeaderDocument<ClusterState> state = await documents.State.ChangeAsync(before => before.Apply(wish), cancellationToken);
            LogPut(workerId, toDrain ? "drained" : "undrained");
            _ = nudges.SendAsync(state.Version);
            return null;
        }
        catch (DocumentException e)
        {
            LogUnreadable(e.Message);
            return new ApiError(503, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is to be {Wish}")]
    private partial void LogPut(string worker, string wish);

    [LoggerMessage(Level = LogLevel.Error, Message = "The wish is not put: {Reason}")]
    private partial void LogUnreadable(string reason);
}

using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Http;
using OllamaMax.SignalR;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster;

/// <summary>Puts what people wish for workers into the cluster's state. Needs no leader: edges go by the wish at once, and the leader tells the worker.</summary>
internal sealed partial class WorkerWishes(
    ClusterDocuments documents, ClusterNudges nudges, WorkerEnrolments enrolments, SignalRHub hub, TimeProvider time, ILogger<WorkerWishes> logger)
{
    /// <summary>Null, or why not. One that is there already is put again without effect.</summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    public Task<ApiError?> DrainAsync(string workerId, CancellationToken cancellationToken) =>
        PutAsync(new ClusterCommand.Drain(NewId(), workerId, time.GetUtcNow()), workerId, "drained", cancellationToken);

    /// <inheritdoc cref="DrainAsync"/>
    public Task<ApiError?> UndrainAsync(string workerId, CancellationToken cancellationToken) =>
        PutAsync(new ClusterCommand.Undrain(NewId(), workerId), workerId, "undrained", cancellationToken);

    /// <summary>
    /// No edge gives it anything from now on, its connection is closed, and it cannot renew what it holds: within a quarter of an hour that is worth nothing. Its identity does not come
    /// back; the box can be let in again as another worker. Once the wish is put the rest is done, whatever becomes of this edge (<see cref="RevocationsReconciler"/>).
    /// </summary>
    /// <inheritdoc cref="DrainAsync"/>
    /// <exception cref="Azure.RequestFailedException">Storage cannot be reached, or refused.</exception>
    public async Task<ApiError?> RevokeAsync(string workerId, CancellationToken cancellationToken)
    {
        if (await PutAsync(new ClusterCommand.Revoke(NewId(), workerId, time.GetUtcNow()), workerId, "revoked", cancellationToken) is { } error)
            return error;
        await ShutOutAsync(workerId, cancellationToken);
        return null;
    }

    /// <summary>The half of a revocation that is not in the cluster's state: the worker cannot renew what it holds, and its connection is closed.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage cannot be reached, or refused.</exception>
    public async Task ShutOutAsync(string workerId, CancellationToken cancellationToken)
    {
        await enrolments.DeleteAsync(workerId, cancellationToken);
        // A connection that stays is told nothing any more; so a service that cannot be reached does not undo the rest.
        if (await hub.CloseConnectionsAsync(Users.Worker(workerId), cancellationToken) is not SendOutcome.Sent and var outcome)
            LogNotClosed(workerId, outcome);
    }

    private static string NewId() => Guid.NewGuid().ToString("n");

    private async Task<ApiError?> PutAsync(ClusterCommand.Wish wish, string workerId, string meaning, CancellationToken cancellationToken)
    {
        try
        {
            LeaderDocument<ClusterState> state = await documents.State.ChangeAsync(before => before.Apply(wish), cancellationToken);
            LogPut(workerId, meaning);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection of the revoked worker {Worker} was not closed: {Outcome}")]
    private partial void LogNotClosed(string worker, SendOutcome outcome);
}

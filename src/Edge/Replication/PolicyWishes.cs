using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.Edge.Replication;

/// <summary>Puts what people wish for models' copies into the cluster's state. Needs no leader: whoever leads, or will, goes by it.</summary>
internal sealed partial class PolicyWishes(ClusterDocuments documents, ClusterNudges nudges, ILogger<PolicyWishes> logger)
{
    /// <summary>The state is one small document.</summary>
    private const int Most = 1000;

    /// <summary>The policies as they are now, by <see cref="ClusterState.PolicyKey"/>.</summary>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    public Task<Result<ClusterState>> ReadAsync(CancellationToken cancellationToken) => CallAsync(documents.State.ReadAsync(cancellationToken));

    /// <summary>Null, or why not.</summary>
    /// <param name="name">The model's.</param>
    /// <param name="policy">Null: none any more.</param>
    /// <param name="cancellationToken">Ends it; it may have been put all the same.</param>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    public async Task<ApiError?> PutAsync(ModelName name, ModelPolicy? policy, CancellationToken cancellationToken)
    {
        ClusterCommand.SetPolicy wish = new(Guid.NewGuid().ToString("n"), ClusterState.PolicyKey(name), policy);
        Task<LeaderDocument<ClusterState>> change = documents.State.ChangeAsync(
            before => policy is null || before.Policies.ContainsKey(wish.Model) || before.Policies.Count < Most ? before.Apply(wish) : before, cancellationToken);
        if ((await CallAsync(change)).Failed(out ApiError? error, out ClusterState? state))
            return error;
        if (policy is not null && !state.Policies.ContainsKey(wish.Model))
            return ApiError.BadRequest($"there are {Most} policies already");
        LogPut(name, policy is null ? "none" : JsonSerializer.Serialize(PolicyAnswer.Of(policy), ReplicationJson.Default.PolicyAnswer));
        _ = nudges.SendAsync((await change).Version);
        return null;
    }

    private async Task<Result<ClusterState>> CallAsync(Task<LeaderDocument<ClusterState>> call)
    {
        try
        {
            return (await call).Content;
        }
        catch (DocumentException e)
        {
            LogUnreadable(e.Message);
            return new ApiError(503, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The policy of {Model} is now: {Policy}")]
    private partial void LogPut(ModelName model, string policy);

    [LoggerMessage(Level = LogLevel.Error, Message = "The policies cannot be read or written: {Reason}")]
    private partial void LogUnreadable(string reason);
}

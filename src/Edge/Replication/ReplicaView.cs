using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Models;
using OllamaMax.Replication;
using OllamaMax.Storage.Models;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Replication;

/// <summary>The models with their copies, as the workers' last reports show them, whoever leads.</summary>
internal sealed class ReplicaView(ModelCatalog catalog, ClusterWatch watch, IOptions<ClusterOptions> options)
{
    private static readonly TimeSpan ViewMaxAge = TimeSpan.FromSeconds(1);

    /// <exception cref="CatalogException">The catalogue cannot be read.</exception>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<ReplicatedModelAnswer>> ListAsync(ClusterState state, CancellationToken cancellationToken)
    {
        IReadOnlyList<ModelView> models = await catalog.ListAsync(cancellationToken);
        IReadOnlyList<WorkerView> workers = await watch.GetAsync(ViewMaxAge, cancellationToken);
        ReplicationPlan plan = Plan(models, workers, state);
        return
        [
            .. models.OrderBy(model => model.Name.FullName, StringComparer.Ordinal).Select(model => new ReplicatedModelAnswer(
                model.Name.ToString(),
                model.Weights,
                model.WeightsSize,
                state.Policies.GetValueOrDefault(ClusterState.PolicyKey(model.Name)) is { } policy ? PolicyAnswer.Of(policy) : null,
                plan.Models[model.Weights].Desired,
                plan.Models[model.Weights].Actual,
                plan.Models[model.Weights].Warm,
                plan.Models[model.Weights].InProgress,
                plan.Models[model.Weights].BlockedBecause,
                ReplicasOf(model, workers))),
        ];
    }

    /// <summary>The copies of one model.</summary>
    /// <inheritdoc cref="ListAsync"/>
    public async Task<ReplicasAnswer> ShowAsync(ModelView model, ClusterState state, CancellationToken cancellationToken)
    {
        IReadOnlyList<WorkerView> workers = await watch.GetAsync(ViewMaxAge, cancellationToken);
        ModelReplication replication = Plan(await catalog.ListAsync(cancellationToken), workers, state).Models.GetValueOrDefault(model.Weights) ?? new(0, 0, 0, null);
        return new ReplicasAnswer(
            model.Name.ToString(),
            model.Weights,
            model.WeightsSize,
            replication.Desired,
            replication.Actual,
            replication.Warm,
            replication.InProgress,
            replication.BlockedBecause,
            ReplicasOf(model, workers));
    }

    private ReplicationPlan Plan(IReadOnlyList<ModelView> models, IReadOnlyList<WorkerView> workers, ClusterState state) =>
        ReplicationPlanner.Plan(PolicedModels.Of(models, state), [.. workers.Select(state.View)], options.Value.ReplaceAfter);

    private static IReadOnlyList<ReplicaAnswer> ReplicasOf(ModelView model, IReadOnlyList<WorkerView> workers) =>
    [
        .. from worker in workers
           where worker.State != WorkerState.Gone
           orderby worker.Report.Id
           let replica = ReplicaOf(worker.Report, model)
           where replica is not null
           select replica
    ];

    private static ReplicaAnswer? ReplicaOf(WorkerReport report, ModelView model)
    {
        HeldModel? held = report.Models.FirstOrDefault(held => held.Digest == model.Weights);
        ReplicaTransfer? transfer = report.Transfers?.FirstOrDefault(transfer => transfer.Digest == model.Weights);
        string? state = held switch
        {
            { Loaded: true } => "loaded",
            { LoadingPercent: not null } => "loading",
            not null => "on_disk",
            null when transfer is { Error: null } => "fetching",
            null when transfer is { Cancelled: true } => "cancelled",
            null when transfer is not null => "failed",
            _ => null,
        };
        return state is null ? null : new(report.Id, model.Weights, state, held is null ? transfer!.Completed : model.WeightsSize, transfer?.Error);
    }
}

using OllamaMax.Cluster;
using OllamaMax.Models;
using OllamaMax.Replication;

namespace OllamaMax.Edge.Replication;

/// <summary>The catalogue's weights with what people wish for the names that stand for them.</summary>
internal static class PolicedModels
{
    private static readonly ModelPolicy None = new();

    /// <summary>All published weights; those that nobody has a wish for are let be.</summary>
    public static IReadOnlyList<PolicedModel> Of(IReadOnlyList<ModelView> published, ClusterState state) =>
    [
        .. from model in published
           where model.Forwarded is null
           group model by model.Weights into names
           let policies = names.Select(model => state.Policies.GetValueOrDefault(ClusterState.PolicyKey(model.Name))).OfType<ModelPolicy>().ToArray()
           // Another name without a wish is no wish for any number of copies.
           select new PolicedModel(names.Key, names.First().WeightsSize, policies.Length > 0 ? policies : [None])
    ];
}

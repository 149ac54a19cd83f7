using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Replication;

internal static class ReplicationServices
{
    /// <summary>Policies of models, what they come to, and the copies that are on their way.</summary>
    public static IServiceCollection AddReplication(this IServiceCollection services)
    {
        services.AddSingleton<PolicyWishes>();
        services.AddSingleton<ReplicaView>();
        services.AddSingleton<IEndpointGroup, ReplicationEndpoints>();
        services.AddSingleton<ReplicaTransfers>();
        services.AddSingleton<ITransferSource>(provider => provider.GetRequiredService<ReplicaTransfers>());
        return services;
    }
}

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Security.Audit;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Storage.Cluster;

namespace OllamaMax.Edge.Cluster.Leading;

internal static class LeaderServices
{
    /// <summary>The election, what the leader owns, and what it sees to: each <see cref="IReconciler"/>, in the order of registration.</summary>
    public static IServiceCollection AddLeader(this IServiceCollection services)
    {
        services.AddOptions<ClusterOptions>().BindConfiguration(ClusterOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<BlobLease>();
        services.AddSingleton<BlobDocuments>();
        services.AddSingleton(provider => new ClusterDocuments(provider.GetRequiredService<BlobDocuments>()));
        services.AddSingleton<OrphanBlobs>();
        services.AddSingleton<ClusterNudges>();
        services.AddSingleton<WorkerWishes>();
        services.AddSingleton<ClusterStatus>();
        services.AddSingleton<LeaderMetrics>();
        services.AddSingleton(provider => new LeaderElection(
            provider.GetRequiredService<EdgeIdentity>().Id,
            provider.GetRequiredService<BlobLease>(),
            provider.GetRequiredService<ClusterDocuments>().All,
            provider.GetRequiredService<IOptions<ClusterOptions>>().Value.LeaseTime,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IReconciler, MembershipReconciler>();
        services.AddSingleton<IReconciler, RevocationsReconciler>();
        services.AddSingleton<IReconciler, DirectivesReconciler>();
        services.AddSingleton<IReconciler, ReplicationReconciler>();
        services.AddSingleton<IReconciler, JobsReconciler>();
        services.AddSingleton<IReconciler, OrphansReconciler>();
        services.AddSingleton<IReconciler, UsageReconciler>();
        services.AddSingleton<IReconciler, AuditReconciler>();
        services.AddSingleton<IReconciler, QueueNotices>();
        services.AddSingleton<IReconciler, LeftNotices>();
        services.AddSingleton(provider => new LeaderTick(
            provider.GetRequiredService<LeaderElection>(),
            provider.GetServices<IReconciler>(),
            provider.GetRequiredService<LeaderMetrics>(),
            provider.GetRequiredService<IOptions<ClusterOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LeaderTick>>()));
        return services;
    }
}

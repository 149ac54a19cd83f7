using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Aliases;
using OllamaMax.Edge.Backup;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Costs;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Health;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Ollama;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Replication;
using OllamaMax.Edge.Requests;
using OllamaMax.Edge.Security;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Templates;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Uploads;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Payloads;
using OllamaMax.Storage.Queues;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Cluster;

public static class ClusterServices
{
    /// <summary>Everything between a job and the workers: storage, SignalR, dispatch, enrolment.</summary>
    public static IServiceCollection AddCluster(this IServiceCollection services, StorageAccount storage, SignalRConnectionString signalR)
    {
        services.AddOptions<DispatchOptions>().BindConfiguration(DispatchOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<TenantOptions>()
            .Configure<IConfiguration>((tenants, configuration) => configuration.GetSection(TenantOptions.Section).Bind(tenants.Limits))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddOptions<EdgeOptions>().Configure<IConfiguration>((edge, configuration) => edge.Read(configuration));
        services.AddOptions<AliasOptions>().Configure<IConfiguration>((aliases, configuration) => aliases.Read(configuration));
        services.AddOptions<PlacementOptions>().Configure<IConfiguration>((placement, configuration) => placement.Read(configuration));
        services.TryAddSingleton<Random>();
        services.AddSingleton(storage);
        services.AddSingleton<JobQueues>();
        services.AddSingleton<PayloadStore>();
        services.AddSingleton<Heartbeats>();
        services.AddSingleton<WorkerEnrolments>();
        services.AddSingleton<StorageCapabilities>();
        services.AddSingleton<SignalRSender>();
        services.AddSingleton(provider => new SignalRHub(
            signalR, Users.Hub, provider.GetRequiredService<SignalRSender>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<EdgeIdentity>();
        services.AddSingleton<ClusterWatch>();
        services.AddLeader();
        services.AddSingleton(provider => new ModelCatalog(
            storage.Blobs, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ModelCatalog>>()));
        services.AddSingleton(_ => new ModelBlobs(storage.Blobs));
        services.AddSingleton(provider => new StagedBlobs(storage.Blobs, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(_ => new PullEnds(storage.Blobs));
        services.AddSingleton<IModelSource, CatalogModels>();
        services.AddSingleton<IVocabularySource, StoredVocabularies>();
        services.AddSingleton<IEndpointGroup, ModelChangeEndpoints>();
        services.AddSingleton<IEndpointGroup, BlobEndpoints>();
        services.AddPulls();
        services.AddReplication();
        services.AddBackup();
        services.AddCosts();
        services.AddSingleton(provider => new UploadedBlobs(storage.Blobs, storage.Signer, provider.GetRequiredService<ModelBlobs>()));
        services.AddSingleton<IEndpointGroup, UploadEndpoints>();
        services.AddSingleton<PromptTemplates>();
        services.AddSingleton<IPromptRenderer>(provider => provider.GetRequiredService<PromptTemplates>());
        services.AddSingleton<WorkerDirectory>();
        services.AddSingleton<StoragePatience>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<Backlog>();
        services.AddSingleton<JobPlacing>();
        services.AddSingleton<DispatchMetrics>();
        services.AddSealing();
        services.AddSingleton<WorkerChannel>();
        services.AddSingleton<JobQueueing>();
        services.AddSingleton<AwayServers>();
        services.AddSingleton<ModelUnloader>();
        services.AddSingleton<WorkerGate>();
        services.AddSingleton<IEndpointGroup, ClusterEndpoints>();
        services.AddSingleton<ILoadedModels, LoadedModels>();
        services.AddSingleton<EdgeListener>();
        services.AddSingleton<JobDispatcher>();
        services.AddSecurity();
        services.AddSingleton<IJobStarter>(provider => new MeteredStarter(provider.GetRequiredService<JobDispatcher>(), provider.GetRequiredService<UsageMeter>()));
        services.AddBackgroundJobs();
        services.AddHostedService<ContainerSetup>();
        services.AddHostedService(provider => provider.GetRequiredService<EdgeListener>());
        services.AddHostedService(provider => provider.GetRequiredService<JobDispatcher>());
        services.AddHostedService<TemplateWarmUp>();
        // Last, so that it is ended first: while the others end, another edge leads already.
        services.AddHostedService<LeaderLoop>();
        services.AddSingleton<IReadinessCheck, StorageCheck>();
        services.AddSingleton<IReadinessCheck, SignalRCheck>();
        services.AddSingleton<IReadinessCheck, WorkersCheck>();
        return services;
    }
}

using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.OpenAI.Responses;
using OllamaMax.Edge.Tenants;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs;

internal static class JobServices
{
    /// <summary>Background jobs: their endpoints, their records, and who looks after them.</summary>
    public static IServiceCollection AddBackgroundJobs(this IServiceCollection services)
    {
        services.AddOptions<BackgroundOptions>().BindConfiguration(BackgroundOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<JobRecordStore>();
        services.AddSingleton<ResponseStore>();
        services.AddSingleton<CompletionQueue>();
        services.AddSingleton<ActiveJobs>();
        services.AddSingleton<TenantRetention>();
        services.AddSingleton<JobRecords>();
        services.AddSingleton<PoisonRecords>();
        services.AddSingleton<UnderWayListings>();
        services.AddSingleton<BackgroundBacklog>();
        services.AddSingleton<ClaimRules>();
        services.AddSingleton<BackgroundJobs>();
        services.AddSingleton<JobIntake>();
        services.AddSingleton<SubmissionStore>();
        services.AddSingleton<KeyedSubmissions>();
        services.AddSingleton<JobResult>();
        services.AddSingleton<JobStream>();
        services.AddSingleton(provider => new JobTending(
            provider.GetRequiredService<JobRecords>(),
            provider.GetRequiredService<BackgroundJobs>(),
            provider.GetRequiredService<JobRecordStore>(),
            provider.GetRequiredService<ResponseStore>(),
            provider.GetRequiredService<CompletionQueue>(),
            provider.GetRequiredService<OrchestrationSweep>(),
            provider.GetRequiredService<FileSweep>(),
            provider.GetRequiredService<SubmissionStore>(),
            provider.GetRequiredService<TenantRetention>(),
            provider.GetService<DurableTaskClient>(),
            provider.GetRequiredService<ActiveJobs>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<JobTending>>()));
        services.AddStrategies();
        services.AddBatches();
        services.AddTenantData();
        services.AddSingleton<ResponseArchive>();
        services.AddSingleton<IResponseArchive>(provider => provider.GetRequiredService<ResponseArchive>());
        services.AddSingleton<IEndpointGroup, JobsEndpoints>();
        services.AddSingleton<IEndpointGroup, KeptResponseEndpoints>();
        services.AddSingleton<IEndpointGroup, JobClaimEndpoints>();
        services.AddHostedService<JobTendingLoop>();
        return services;
    }
}

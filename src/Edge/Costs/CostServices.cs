using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Http;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Cluster;

namespace OllamaMax.Edge.Costs;

internal static class CostServices
{
    /// <summary><c>/cluster/cost</c>, and what is counted for it. Needs storage, SignalR and the leader's documents.</summary>
    public static IServiceCollection AddCosts(this IServiceCollection services)
    {
        services.AddOptions<CostOptions>().BindConfiguration(CostOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<WorkerCosts>();
        services.AddSingleton<IReconciler>(provider => provider.GetRequiredService<WorkerCosts>());
        Count(CostNames.StorageReads, provider => provider.GetRequiredService<StorageAccount>(), account => account.Operations.Reads);
        Count(CostNames.StorageWrites, provider => provider.GetRequiredService<StorageAccount>(), account => account.Operations.Writes);
        Count(CostNames.StorageLists, provider => provider.GetRequiredService<StorageAccount>(), account => account.Operations.Lists);
        Count(CostNames.QueueOperations, provider => provider.GetRequiredService<StorageAccount>(), account => account.Operations.Queue);
        Count(CostNames.Requests, provider => provider.GetRequiredService<RequestMetrics>(), requests => requests.Answered);
        Count(CostNames.BilledMilliseconds, provider => provider.GetRequiredService<RequestMetrics>(), requests => requests.BilledMilliseconds);
        // The service bills what it delivers: here that is what edges hear from workers, and what they tell workers and each other.
        Count(
            CostNames.SignalRMessages,
            provider => (Sender: provider.GetRequiredService<SignalRSender>(), Listener: provider.GetRequiredService<EdgeListener>()),
            signalR => signalR.Sender.SentUnits + signalR.Listener.HeardUnits);
        services.AddSingleton(provider =>
        {
            WorkerCosts workers = provider.GetRequiredService<WorkerCosts>();
            return new CostBook(
                provider.GetRequiredService<BlobDocuments>(),
                provider.GetServices<CostSource>(),
                () => workers.Current,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<CostBook>>());
        });
        services.AddHostedService(provider => provider.GetRequiredService<CostBook>());
        services.AddSingleton<IEndpointGroup, CostEndpoints>();
        return services;

        void Count<T>(string name, Func<IServiceProvider, T> find, Func<T, long> total) =>
            services.AddSingleton(provider =>
            {
                T counter = find(provider);
                return new CostSource(name, () => total(counter));
            });
    }
}

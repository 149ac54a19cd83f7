using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Storage;

namespace OllamaMax.TaskHub.Hosting;

public static class TaskHubServices
{
    /// <summary>The local durable task hub over the registered <see cref="StorageAccount"/>, and a <see cref="DurableTaskClient"/> of it.</summary>
    /// <param name="register">Adds the orchestrators and activities.</param>
    public static IServiceCollection AddTaskHub(this IServiceCollection services, Action<TaskRegistry> register)
    {
        TaskRegistry registry = new();
        register(registry);
        services.AddOptions<TaskHubOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new HubHost(
            provider.GetRequiredService<StorageAccount>().Blobs.GetBlobContainerClient(Containers.TaskHub),
            registry,
            provider,
            provider.GetRequiredService<IOptions<TaskHubOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddHostedService(provider => provider.GetRequiredService<HubHost>());
        services.AddSingleton<DurableTaskClient, TaskHubClient>();
        return services;
    }
}

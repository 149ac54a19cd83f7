using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Batches;

internal static class BatchServices
{
    /// <summary>OpenAI's files and batches, and the activities of their orchestrations.</summary>
    public static IServiceCollection AddBatches(this IServiceCollection services)
    {
        services.AddOptions<BatchOptions>().BindConfiguration(BatchOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<FileStore>();
        services.AddSingleton<BatchStore>();
        services.AddSingleton<BatchJobs>();
        services.AddSingleton<FileSweep>();
        services.AddSingleton<OpenBatch>();
        services.AddSingleton<SubmitLine>();
        services.AddSingleton<WritePage>();
        services.AddSingleton<CloseBatch>();
        services.AddSingleton<IEndpointGroup, FilesEndpoints>();
        services.AddSingleton<IEndpointGroup, BatchesEndpoints>();
        return services;
    }
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Edge.Templates;

namespace OllamaMax.Edge.Pulls;

internal static class PullServices
{
    /// <summary><c>/api/pull</c> and <c>/cluster/transfers</c>, and what is behind them. Needs the catalogue, <c>ModelBlobs</c>, <c>StagedBlobs</c>, <c>PullEnds</c> and <c>IPromptRenderer</c>.</summary>
    public static IServiceCollection AddPulls(this IServiceCollection services)
    {
        services.AddOptions<PullOptions>()
            .BindConfiguration(PullOptions.Section)
            .PostConfigure<IConfiguration>((pulls, configuration) => pulls.AddHuggingFace(configuration[PullOptions.HuggingFaceSetting]))
            .ValidateDataAnnotations()
            .ValidateOnStart();
        services.AddSingleton<SourceHttp>();
        services.AddSingleton<SourceRetry>();
        services.AddSingleton<SourceDownload>();
        services.AddSingleton<RegistrySource>();
        services.AddSingleton<SplitRepository>();
        services.AddSingleton<BlobPull>();
        services.AddSingleton<TemplateCheck>();
        services.AddSingleton<ModelPull>();
        services.AddSingleton<ActivePulls>();
        services.AddSingleton<PullFollower>();
        services.AddSingleton<FetchSlice>();
        services.AddSingleton<DurablePulls>();
        services.TryAddSingleton<TaskHubs>();
        services.AddSingleton<IEndpointGroup, PullEndpoints>();
        services.AddSingleton<ITransferSource, PullTransfers>();
        services.AddSingleton<IEndpointGroup, TransferEndpoints>();
        return services;
    }
}

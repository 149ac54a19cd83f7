using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

internal static class StrategyServices
{
    /// <summary>Jobs with a strategy, and the activities of their orchestrations. Whoever composes the app adds a task hub that runs them.</summary>
    public static IServiceCollection AddStrategies(this IServiceCollection services)
    {
        services.AddOptions<StrategyOptions>().BindConfiguration(StrategyOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<StrategyStore>();
        services.AddSingleton<VoteSeals>();
        services.AddSingleton<StrategyJobs>();
        services.AddSingleton<StrategyStream>();
        services.AddSingleton<OrchestrationSweep>();
        services.TryAddSingleton<TaskHubs>();
        services.AddSingleton<BranchSubmitter>();
        services.AddSingleton<SubmitBranch>();
        services.AddSingleton<LookAtBranch>();
        services.AddSingleton<CancelBranches>();
        services.AddSingleton<SplitText>();
        services.AddSingleton<CountVotes>();
        services.AddSingleton<FinishStrategy>();
        return services;
    }
}

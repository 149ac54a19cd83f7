using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Batches;
using OllamaMax.Edge.Pulls;
using OllamaMax.Orchestrations;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>The activities of the orchestrations, by name. They stand here since they do what the edge does for any background job.</summary>
public static class OrchestrationActivities
{
    public static IReadOnlyDictionary<string, Func<IServiceProvider, ITaskActivity>> All { get; } = new Dictionary<string, Func<IServiceProvider, ITaskActivity>>
    {
        [ActivityNames.Submit] = services => services.GetRequiredService<SubmitBranch>(),
        [ActivityNames.Look] = services => services.GetRequiredService<LookAtBranch>(),
        [ActivityNames.Cancel] = services => services.GetRequiredService<CancelBranches>(),
        [ActivityNames.Split] = services => services.GetRequiredService<SplitText>(),
        [ActivityNames.Vote] = services => services.GetRequiredService<CountVotes>(),
        [ActivityNames.Finish] = services => services.GetRequiredService<FinishStrategy>(),
        [ActivityNames.OpenBatch] = services => services.GetRequiredService<OpenBatch>(),
        [ActivityNames.SubmitLine] = services => services.GetRequiredService<SubmitLine>(),
        [ActivityNames.WritePage] = services => services.GetRequiredService<WritePage>(),
        [ActivityNames.CloseBatch] = services => services.GetRequiredService<CloseBatch>(),
        [ActivityNames.PullSlice] = services => services.GetRequiredService<FetchSlice>(),
    };
}

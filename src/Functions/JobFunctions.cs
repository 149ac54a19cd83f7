using Microsoft.Azure.Functions.Worker;
using OllamaMax.Edge.Jobs;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Functions;

/// <summary>Looks after background jobs, as <see cref="JobTending"/> says, when there is a reason to. What is due without one is the leader's affair (<see cref="LeaderFunctions"/>).</summary>
public sealed class JobFunctions(JobTending tending)
{
    /// <summary>Workers announce ends here. What fails is tried again by the host, and found by the sweep in any case.</summary>
    [Function("completions")]
    public Task CompletedAsync([QueueTrigger(CompletionQueue.Name, Connection = "AzureWebJobsStorage")] string message, CancellationToken cancellationToken) =>
        tending.CompletedAsync(message, cancellationToken);
}

using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using OllamaMax.Edge.Jobs;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Functions;

/// <summary>Looks after background jobs, as <see cref="JobTending"/> says, when there is a reason to. What is due without one is the leader's affair (<see cref="LeaderFunctions"/>).</summary>
public sealed class JobFunctions(JobTending tending)
{
    /// <summary>Workers announce ends here; orchestrations that wait for one are told. What fails is tried again by the host, and found by the sweep in any case.</summary>
    [Function("completions")]
    public Task CompletedAsync(
        [QueueTrigger(CompletionQueue.Name, Connection = "AzureWebJobsStorage")] string message, [DurableClient] DurableTaskClient hub, CancellationToken cancellationToken) =>
        tending.CompletedAsync(message, hub, cancellationToken);

    [Function("sweep")]
    public async Task SweepAsync([TimerTrigger("0 */10 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient hub, CancellationToken cancellationToken)
    {
        await tending.SweepAsync(hub, cancellationToken);
        await tending.NudgeAsync(cancellationToken);
    }
}

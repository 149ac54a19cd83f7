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

    /// <summary>What the leader's sweep leaves: a timer's trigger is given a client of Durable Functions, the tick of the leader has none.</summary>
    [Function("sweep")]
    public Task SweepAsync([TimerTrigger("0 */10 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient hub, CancellationToken cancellationToken) =>
        tending.SweepOrchestrationsAsync(hub, cancellationToken);
}

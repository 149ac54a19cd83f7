using Microsoft.Azure.Functions.Worker;
using OllamaMax.Edge.Cluster.Leading;

namespace OllamaMax.Functions;

/// <summary>
/// The leader's tick, once a minute. The instance need not be the one of the minute before: it then waits until that one's lease has run out, and leads in an epoch
/// of its own.
/// </summary>
public sealed class LeaderFunctions(LeaderTick tick)
{
    [Function("leader")]
    public Task TickAsync([TimerTrigger("0 * * * * *")] TimerInfo timer, CancellationToken cancellationToken) => tick.RunAsync(cancellationToken);
}

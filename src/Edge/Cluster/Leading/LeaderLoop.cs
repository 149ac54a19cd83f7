using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>Drives <see cref="LeaderTick"/>, at its interval and when another edge says that something has changed. Ending gives the lead up at once.</summary>
internal sealed class LeaderLoop(
    LeaderTick tick, LeaderElection election, ClusterNudges nudges, IOptions<ClusterOptions> options, TimeProvider time) : BackgroundService
{
    private readonly WakeSignal _wake = new(time);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Ticks)
            return;
        nudges.Nudged += _wake.Set;
        try
        {
            while (true)
            {
                await tick.RunAsync(stoppingToken);
                await _wake.WaitAsync(options.Value.Tick, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            nudges.Nudged -= _wake.Set;
            await election.DisposeAsync();
        }
    }
}

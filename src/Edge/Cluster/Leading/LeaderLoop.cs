using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>Drives <see cref="LeaderTick"/>, at its interval and when another edge says that something has changed. Ending gives the lead up at once.</summary>
internal sealed class LeaderLoop(
    LeaderTick tick, LeaderElection election, ClusterNudges nudges, IOptions<ClusterOptions> options, TimeProvider time) : BackgroundService
{
    private readonly SemaphoreSlim _wake = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Ticks)
            return;
        nudges.Nudged += Wake;
        try
        {
            while (true)
            {
                await tick.RunAsync(stoppingToken);
                await WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            nudges.Nudged -= Wake;
            await election.DisposeAsync();
        }
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    private async Task WaitAsync(CancellationToken stopping)
    {
        using CancellationTokenSource limit = new(options.Value.Tick, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            await _wake.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Time for the next.
        }
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It has been woken already, and has not looked yet.
        }
    }
}

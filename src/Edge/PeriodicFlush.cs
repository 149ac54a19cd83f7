using Microsoft.Extensions.Hosting;

namespace OllamaMax.Edge;

/// <summary>Writes what has come together in memory every so often, and once more when the edge ends.</summary>
internal abstract class PeriodicFlush(TimeSpan every, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    protected TimeProvider Time => time;

    /// <summary>Writes it. What may pass is logged, and goes with the next time.</summary>
    /// <param name="last">The edge ends: there is no next time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    protected abstract Task TryFlushAsync(bool last, CancellationToken cancellationToken);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TryFlushAsync(last: false, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await FlushLastAsync();
        }
    }

    private async Task FlushLastAsync()
    {
        using CancellationTokenSource limit = new(StopPatience, time);
        try
        {
            await TryFlushAsync(last: true, limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // The edge ends; what storage did not take in time is lost with it.
        }
    }
}

using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Pulls;

/// <summary>Tries a source again, a bounded number of times in a row; the waits are the source's own where it says so.</summary>
internal sealed class SourceRetry(IOptions<PullOptions> options, TimeProvider time)
{
    /// <summary>Less than this between two failures is as good as nothing: a source that sends a few bytes each time is not waited for for ever.</summary>
    private const long Worthwhile = 1 << 20;

    /// <summary>What may be otherwise the next time. A connection that takes too long comes as a cancellation that nobody asked for.</summary>
    public static bool IsPassing(Exception e) => e is HttpRequestException or IOException or TimeoutException or SourceUnavailableException
        or OperationCanceledException { InnerException: TimeoutException };

    /// <param name="source">Whom to name when it is given up.</param>
    /// <param name="attempt">One try.</param>
    /// <param name="reached">Bytes that are there, of all tries together.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="PullException">It failed too often, or for good.</exception>
    public async Task<T> RunAsync<T>(
        Uri source, Func<CancellationToken, Task<T>> attempt, Func<long> reached, CancellationToken cancellationToken)
    {
        long furthest = reached();
        for (int failures = 1; ; failures++)
        {
            TimeSpan delay;
            try
            {
                return await attempt(cancellationToken);
            }
            catch (Exception e) when (IsPassing(e) && !cancellationToken.IsCancellationRequested)
            {
                if (reached() - furthest >= Worthwhile)
                    (failures, furthest) = (1, reached());
                if (failures >= options.Value.MaxFailures)
                    throw new PullException($"{source.Host} failed {failures} times in a row, the last time so: {e.GetBaseException().Message}", e);
                delay = DelayAfter(failures, (e as SourceUnavailableException)?.RetryAfter);
            }
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    private TimeSpan DelayAfter(int failures, TimeSpan? wanted)
    {
        TimeSpan delay = wanted ?? options.Value.FirstDelay * Math.Pow(2, Math.Min(failures - 1, 20));
        return delay < options.Value.LongestDelay ? delay : options.Value.LongestDelay;
    }
}

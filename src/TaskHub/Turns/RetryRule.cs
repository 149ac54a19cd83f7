using Microsoft.DurableTask;

namespace OllamaMax.TaskHub.Turns;

internal static class RetryRule
{
    /// <summary>How long to wait before the next attempt; null: there is none.</summary>
    /// <param name="attempts">Failed so far.</param>
    /// <param name="elapsed">Since the first one began.</param>
    public static TimeSpan? Delay(RetryPolicy policy, int attempts, TimeSpan elapsed)
    {
        if (attempts >= policy.MaxNumberOfAttempts || (policy.RetryTimeout != Timeout.InfiniteTimeSpan && elapsed >= policy.RetryTimeout))
            return null;
        double delay = policy.FirstRetryInterval.TotalMilliseconds * Math.Pow(policy.BackoffCoefficient, attempts - 1);
        // The longest wait there can be stands in for one that was not bounded.
        double most = policy.MaxRetryInterval == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(365).TotalMilliseconds : policy.MaxRetryInterval.TotalMilliseconds;
        return TimeSpan.FromMilliseconds(Math.Min(delay, most));
    }
}

namespace OllamaMax.SignalR;

/// <summary>
/// How long to wait before the next attempt to connect: doubling from 100 ms up to 5 s, each time a random part of it, so that
/// the clients of a restarted service do not come back all at once.
/// </summary>
internal sealed class ReconnectBackoff(Random random)
{
    private const double FirstMs = 100;
    private const double LongestMs = 5_000;

    /// <summary>Of a pause, what is waited even where somebody needs the connection: many who ask must not become many attempts.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromMilliseconds(500);

    /// <param name="failures">Attempts that failed since the last connection; 0 right after it was lost.</param>
    public TimeSpan Next(int failures)
    {
        double bound = Math.Min(LongestMs, FirstMs * Math.Pow(2, Math.Min(failures, 30)));
        return TimeSpan.FromMilliseconds(bound * (0.5 + random.NextDouble() / 2));
    }
}

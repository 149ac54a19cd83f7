namespace OllamaMax.Edge.Dispatch;

/// <summary>How long the jobs of each model take, as a moving average: from it comes an honest Retry-After.</summary>
internal sealed class Throughput
{
    /// <summary>Weight of the newest job.</summary>
    private const double Newest = 0.2;

    private static readonly TimeSpan Unknown = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, TimeSpan> _means = [];

    public void Add(string model, TimeSpan runningTime) => _means[model] = _means.TryGetValue(model, out TimeSpan mean)
        ? (mean * (1 - Newest)) + (runningTime * Newest)
        : runningTime;

    /// <summary>When a place in the queue will be free, if <paramref name="waiting"/> jobs go through <paramref name="slots"/> slots.</summary>
    public TimeSpan RetryAfter(string model, int waiting, int slots)
    {
        TimeSpan mean = _means.GetValueOrDefault(model, Unknown);
        TimeSpan wait = mean * Math.Max(1, waiting) / Math.Max(1, slots);
        return wait > TimeSpan.FromSeconds(1) ? wait : TimeSpan.FromSeconds(1);
    }
}

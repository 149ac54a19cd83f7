namespace OllamaMax.Edge.Jobs;

/// <summary>How long it takes until there is room for another job of a model: that often one of them has ended. Not safe for concurrent use.</summary>
internal sealed class PlaceWaits(TimeProvider time)
{
    /// <summary>Until the first job is seen to end.</summary>
    public static readonly TimeSpan Unknown = TimeSpan.FromSeconds(30);

    /// <summary>However fast they end: who is refused is to come again later than that.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly Dictionary<string, TimeSpan> _waits = [];

    /// <summary>Of models that have jobs under way: when one was last seen to end, or the first to be there.</summary>
    private readonly Dictionary<string, long> _since = [];

    public TimeSpan Of(string model) => _waits.GetValueOrDefault(model, Unknown);

    /// <param name="ended">The model of each job that has ended since the last call.</param>
    /// <param name="underWay">Models of those that have not.</param>
    public void Measure(IEnumerable<string> ended, IReadOnlySet<string> underWay)
    {
        long now = time.GetTimestamp();
        foreach (var (model, count) in ended.CountBy(model => model))
        {
            if (!_since.Remove(model, out long since))
                continue;
            TimeSpan wait = time.GetElapsedTime(since, now) / count;
            _waits[model] = wait < Shortest ? Shortest : wait < Longest ? wait : Longest;
        }
        foreach (string model in underWay)
            _since.TryAdd(model, now);
        // While there is nothing to end, no time passes.
        foreach (string idle in _since.Keys.Where(model => !underWay.Contains(model)))
            _since.Remove(idle);
    }
}

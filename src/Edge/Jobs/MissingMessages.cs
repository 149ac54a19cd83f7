using System.Collections.Concurrent;

namespace OllamaMax.Edge.Jobs;

/// <summary>
/// How many messages the queues lack that should have one for each job under way. Whose message was lost nobody can see; but a job that merely waits, for hours perhaps, has its own,
/// and another for each look at it would be in the way of all others in the end.
/// </summary>
internal sealed class MissingMessages
{
    private readonly ConcurrentDictionary<string, int> _missing = new();
    private readonly HashSet<string> _lacking = [];

    /// <param name="underWay">Jobs by model.</param>
    /// <param name="queued">The models whose jobs might be queued again.</param>
    /// <param name="jobs">Counts messages.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public static async Task<MissingMessages> CountAsync(
        IReadOnlyDictionary<string, int> underWay, IEnumerable<string> queued, BackgroundJobs jobs, CancellationToken cancellationToken)
    {
        MissingMessages missing = new();
        foreach (string model in queued)
        {
            int count = underWay[model] - await jobs.MessagesAsync(model, cancellationToken);
            missing._missing[model] = count;
            if (count > 0)
                missing._lacking.Add(model);
        }
        return missing;
    }

    /// <summary>Whether any was missing when they were counted.</summary>
    public bool Lacks(string model) => _lacking.Contains(model);

    /// <summary>Whether one is missing; it is not any more then, as the caller puts it. Of several callers the oldest job's should come first: those before it in the queue are gone.</summary>
    public bool Take(string model) => _missing.AddOrUpdate(model, -1, static (_, count) => count - 1) >= 0;
}

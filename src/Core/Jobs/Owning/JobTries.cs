namespace OllamaMax.Jobs.Owning;

/// <summary>Who has tried a job and how often it was in vain: issues its attempts, and says when it is to be given up.</summary>
/// <param name="newNonce">Source of unguessable nonces.</param>
internal sealed class JobTries(OwnerOptions options, Func<string> newNonce)
{
    private readonly HashSet<string> _excluded = [];
    private int _failures;
    private int _losses;

    /// <summary>Attempts so far.</summary>
    public int Count { get; private set; }

    /// <summary>Whether it may be pushed once more, before it waits in the queue.</summary>
    public bool MayPush => Count < options.MaxPushes;

    /// <summary>Workers that are not to get it again.</summary>
    public IReadOnlySet<string> Excluded => _excluded;

    public Attempt Next(string workerId) => new(++Count, workerId, newNonce());

    public void Exclude(string workerId) => _excluded.Add(workerId);

    /// <summary>An attempt said itself that it failed. Not null: it was one too many.</summary>
    public JobError? Failed(string? why) => ++_failures >= options.MaxFailures ? GivenUp(why) : null;

    /// <summary>A worker has lost an attempt without saying so. Not null: it was one too many.</summary>
    public JobError? Lost(string why) => ++_losses >= options.MaxLosses ? GivenUp(why) : null;

    private JobError GivenUp(string? why) => new(JobErrorKind.Failed, $"given up after {Count} attempts; the last: {why}");
}

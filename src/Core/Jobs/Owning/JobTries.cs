namespace OllamaMax.Jobs.Owning;

/// <summary>Who has tried a job: issues its attempts.</summary>
/// <param name="newNonce">Source of unguessable nonces.</param>
internal sealed class JobTries(OwnerOptions options, Func<string> newNonce)
{
    private readonly HashSet<string> _excluded = [];

    /// <summary>Attempts so far.</summary>
    public int Count { get; private set; }

    /// <summary>Whether it may be pushed once more, before it waits in the queue.</summary>
    public bool MayPush => Count < options.MaxPushes;

    /// <summary>Workers that are not to get it again.</summary>
    public IReadOnlySet<string> Excluded => _excluded;

    public Attempt Next(string workerId) => new(++Count, workerId, newNonce());

    public void Exclude(string workerId) => _excluded.Add(workerId);
}

namespace OllamaMax.Cluster;

/// <summary>
/// Blobs, queues and workers' copies that nobody seems to need, each marked when it was first seen so. What still lies there unchanged after its wait is deleted, and only then: its
/// owner may just have been slow to say that it is needed.
/// </summary>
public sealed record OrphanMarks
{
    /// <summary>What is more waits for its turn: the document stays small.</summary>
    private const int Most = 1000;

    public static OrphanMarks None { get; } = new();

    /// <summary>By <see cref="OrphanCandidate.Name"/>.</summary>
    public IReadOnlyDictionary<string, OrphanMark> Marks { get; init; } = new Dictionary<string, OrphanMark>();

    /// <summary>Digests of weights that no name has stood for, and nobody has run, for as long as that; workers may have copies of them.</summary>
    /// <param name="wait">From the mark on.</param>
    /// <param name="now">By storage's clock.</param>
    public IReadOnlySet<string> UnneededCopies(TimeSpan wait, DateTimeOffset now) =>
        Marks.Where(mark => OrphanCandidate.IsCopy(mark.Key) && now - mark.Value.Since >= wait).Select(mark => mark.Key[OrphanCandidate.Copies.Length..]).ToHashSet();

    /// <summary>Marks what is new among the candidates, and forgets what is none any more, or has been changed since. The same instance where nothing changes.</summary>
    /// <param name="candidates">All of them.</param>
    /// <param name="now">By storage's clock.</param>
    public OrphanMarks Look(IReadOnlyList<OrphanCandidate> candidates, DateTimeOffset now)
    {
        Dictionary<string, OrphanMark> marks = [];
        // Those that are marked first: who waits is not put back by who comes.
        foreach (OrphanCandidate candidate in candidates.OrderByDescending(IsMarked).Take(Most))
            marks[candidate.Name] = IsMarked(candidate) ? Marks[candidate.Name] : new(candidate.Tag, now);
        bool isSame = marks.Count == Marks.Count && marks.All(mark => Marks.TryGetValue(mark.Key, out OrphanMark? before) && before == mark.Value);
        return isSame ? this : this with { Marks = marks };
    }

    /// <summary>Those whose wait is over, to be deleted if they are still what the mark says.</summary>
    public IReadOnlyList<OrphanCandidate> Due(IReadOnlyList<OrphanCandidate> candidates, DateTimeOffset now) =>
        [.. candidates.Where(candidate => IsMarked(candidate) && now - Marks[candidate.Name].Since >= candidate.Wait)];

    private bool IsMarked(OrphanCandidate candidate) => Marks.TryGetValue(candidate.Name, out OrphanMark? mark) && mark.Tag == candidate.Tag;
}

/// <param name="Tag">Of it as it was.</param>
/// <param name="Since">By storage's clock.</param>
public sealed record OrphanMark(string Tag, DateTimeOffset Since);

/// <param name="Name">Its container, a slash, its name there.</param>
/// <param name="Tag">Changes with each write to a blob; queues and copies have none.</param>
/// <param name="Wait">From the mark to the deletion.</param>
public sealed record OrphanCandidate(string Name, string Tag, TimeSpan Wait)
{
    /// <summary>Before the digest of weights that workers have copies of, where blobs have their container.</summary>
    internal const string Copies = "copies/";

    public static OrphanCandidate Copy(string digest, TimeSpan wait) => new(Copies + digest, "", wait);

    public static bool IsCopy(string name) => name.StartsWith(Copies, StringComparison.Ordinal);
}

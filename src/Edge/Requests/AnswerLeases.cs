namespace OllamaMax.Edge.Requests;

/// <summary>A client's interest in all jobs of its request.</summary>
internal sealed class AnswerLeases : IDisposable
{
    private readonly List<AnswerLease> _all = [];

    public IReadOnlyList<AnswerLease> All => _all;

    /// <summary>Whether all that is answered another request had started.</summary>
    public bool AreReplays => _all.TrueForAll(lease => lease.IsReplay);

    public void Add(AnswerLease lease) => _all.Add(lease);

    public void Dispose() => _all.ForEach(lease => lease.Dispose());
}

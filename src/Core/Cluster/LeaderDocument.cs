namespace OllamaMax.Cluster;

/// <summary>
/// A document that the leader owns, and its fence: what a leader changes is refused unless the document stands in that leader's own epoch. Pure; it is written
/// under the tag that it was read with (<see cref="FencedStore{T}"/>), so between the look at the epoch and the write nobody gets in.
/// </summary>
/// <param name="Schema">Of <paramref name="Content"/>; a higher one than known is not read.</param>
/// <param name="Epoch">Of the last leader who took the document over; 0: nobody yet.</param>
/// <param name="Leader">That one's id.</param>
/// <param name="Since">When it took the document over, by its own clock.</param>
/// <param name="Version">Grows with each write: who reads has one consistent snapshot, and knows which.</param>
public sealed record LeaderDocument<T>(int Schema, long Epoch, string? Leader, DateTimeOffset? Since, long Version, T Content)
    where T : class
{
    /// <summary>
    /// The document in the next leader's epoch; the same instance where that stands there already. Null: refused, a newer one stands there, or the same one of another leader.
    /// </summary>
    public LeaderDocument<T>? TakeOver(LeaderTerm term) =>
        term.Epoch > Epoch ? this with { Epoch = term.Epoch, Leader = term.Leader, Since = term.Since, Version = Version + 1 }
        : term.Epoch == Epoch && term.Leader == Leader ? this
        : null;

    /// <summary>What a leader makes of it; the same instance where nothing changes. Null: refused, it stands in another epoch than this leader's.</summary>
    public LeaderDocument<T>? Apply(LeaderTerm term, Func<T, T> change) => term.Epoch == Epoch && term.Leader == Leader ? Change(change) : null;

    /// <summary>What others may change of it, in whoever's epoch: the wishes of people.</summary>
    public LeaderDocument<T> Change(Func<T, T> change)
    {
        T next = change(Content);
        return ReferenceEquals(next, Content) ? this : this with { Version = Version + 1, Content = next };
    }
}

namespace OllamaMax.Leases;

/// <summary>
/// One lease that storage keeps: one id at a time holds it, for a while that storage measures. It elects and does not fence: what its holder sent may
/// arrive long after it ran out, so writes are guarded by themselves (<see cref="Cluster.LeaderDocument{T}"/>).
/// </summary>
public interface ILeaseStore
{
    /// <summary>False while another id holds it. For the id that holds it already it begins anew: an answer that was lost may be asked for again.</summary>
    /// <param name="id">A GUID, of this holder alone.</param>
    /// <param name="duration">15 to 60 whole seconds.</param>
    /// <param name="cancellationToken">Ends the request, which may have been carried out all the same.</param>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    Task<bool> TryAcquireAsync(string id, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>
    /// Begins its time anew. False: it was taken from this id, or broken. One that has run out may still be renewed for as long as nobody has taken it.
    /// </summary>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    Task<bool> TryRenewAsync(string id, CancellationToken cancellationToken);

    /// <summary>Others can have it at once. Does nothing where it is no longer this id's.</summary>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    Task ReleaseAsync(string id, CancellationToken cancellationToken);
}

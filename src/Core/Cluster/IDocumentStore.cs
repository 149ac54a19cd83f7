namespace OllamaMax.Cluster;

/// <summary>Small documents by name, each changed only by who knows its content: compare and swap.</summary>
public interface IDocumentStore
{
    /// <summary>The document as it is now; null where there is none.</summary>
    /// <param name="name">File name characters only.</param>
    /// <param name="known">As it was read last: the same instance comes back where it has not changed, which costs no download.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    Task<StoredDocument?> ReadAsync(string name, StoredDocument? known, CancellationToken cancellationToken);

    /// <summary>Writes it where it still is what <paramref name="basis"/> says. Null: it is not, somebody else has changed it.</summary>
    /// <param name="name">As above.</param>
    /// <param name="content">All of it.</param>
    /// <param name="basis">Null: there must be none yet.</param>
    /// <param name="cancellationToken">Ends the request, which may have been carried out all the same.</param>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    Task<StoredDocument?> WriteAsync(string name, ReadOnlyMemory<byte> content, StoredDocument? basis, CancellationToken cancellationToken);
}

/// <param name="Tag">Another one with each write.</param>
public sealed record StoredDocument(string Tag, ReadOnlyMemory<byte> Content);

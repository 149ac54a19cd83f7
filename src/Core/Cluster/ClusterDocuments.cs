namespace OllamaMax.Cluster;

/// <summary>The documents that the leader owns. One that is added here is taken over by each new leader before its first act.</summary>
public sealed class ClusterDocuments(IDocumentStore store)
{
    /// <summary>Workers, and what people wish for them and for models. An edge that knew schema 1 alone would write it back without the policies.</summary>
    public FencedStore<ClusterState> State { get; } = new(store, "state", schema: 2, ClusterState.Empty, DocumentJson.Default.LeaderDocumentClusterState);

    /// <summary>Blobs that nobody seems to need.</summary>
    public FencedStore<OrphanMarks> Orphans { get; } = new(store, "orphans", schema: 1, OrphanMarks.None, DocumentJson.Default.LeaderDocumentOrphanMarks);

    /// <summary>In the order in which they are taken over: the first gives each epoch its one leader.</summary>
    public IReadOnlyList<FencedStore> All => [State, Orphans];
}

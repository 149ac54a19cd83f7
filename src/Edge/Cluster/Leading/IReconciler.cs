using OllamaMax.Cluster;

namespace OllamaMax.Edge.Cluster.Leading;

/// <summary>
/// Something that the leader sees to, again and again: it takes no input but what it finds, and doing it twice does nothing more. Whether its last pass came through
/// it need not know.
/// </summary>
internal interface IReconciler
{
    /// <summary>For traces and metrics.</summary>
    string Name { get; }

    /// <summary>How long a pass is good for. An instance that does not know of one makes one.</summary>
    TimeSpan Every { get; }

    /// <summary>One pass. False: the fence has refused a write, another leader is there.</summary>
    /// <param name="term">Under which everything is written.</param>
    /// <param name="cancellationToken">Cancelled when the lease is lost: whoever goes on begins anew.</param>
    Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken);
}

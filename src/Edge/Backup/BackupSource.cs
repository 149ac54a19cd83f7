using OllamaMax.Cluster;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Security;
using OllamaMax.Storage.Workers;

namespace OllamaMax.Edge.Backup;

/// <summary>Gathers what a backup is made of.</summary>
internal sealed class BackupSource(
    ClusterDocuments documents, KeyStore keys, WorkerEnrolments enrolments, ModelCatalog catalog, UsageStore usage, UsageBook book, TimeProvider time)
{
    /// <param name="withUsage">What was used, too: it grows with time.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    /// <exception cref="Leases.StoreException">Storage cannot be reached, or refused.</exception>
    /// <exception cref="DocumentException">The state cannot be read.</exception>
    /// <exception cref="CatalogException">Storage cannot be read.</exception>
    /// <exception cref="Azure.RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<BackupContent> GatherAsync(bool withUsage, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        LeaderDocument<ClusterState> state = await documents.State.ReadAsync(cancellationToken);
        (IReadOnlyList<ArchivedModel> models, IReadOnlyList<ModelName> unreadable) = await catalog.ArchiveAsync(cancellationToken);
        BackupHeader header = new(
            BackupFormat.Name, BackupFormat.Version, BackupFormat.Schemas(documents.State.Schema), now, EdgeIdentity.Version, [.. unreadable.Select(name => name.ToString())]);
        return new()
        {
            Header = header,
            State = state,
            Keys = await keys.ListAsync(cancellationToken),
            Enrolments = await enrolments.ListAsync(cancellationToken),
            Models = models,
            Usage = withUsage ? await ReadUsageAsync(cancellationToken) : [],
        };
    }

    private async Task<IReadOnlyList<DayUsage>> ReadUsageAsync(CancellationToken cancellationToken)
    {
        // What this edge has counted and not yet written was used, too.
        await book.FlushAsync(cancellationToken);
        return await usage.ReadAllAsync(cancellationToken);
    }
}

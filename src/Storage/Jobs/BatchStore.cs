using OllamaMax.Jobs.Records;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>Batches in storage: <c>jobs/batches/{id}</c>, written once.</summary>
public sealed class BatchStore(StorageAccount account)
{
    private readonly LastingBlobs<BatchRecord> _records = new(account, "batches/", ProtocolJson.Default.BatchRecord);

    /// <returns>It, or the one of this id that is there.</returns>
    public Task<BatchRecord> CreateAsync(BatchRecord record, CancellationToken cancellationToken) =>
        _records.CreateAsync(record.Id, record, record.Submitter.Tenant, record.ExpiresAt, cancellationToken);

    /// <summary>Null where there is none.</summary>
    public Task<BatchRecord?> FindAsync(string id, CancellationToken cancellationToken) => _records.FindAsync(id, cancellationToken);

    /// <summary>Ids of a tenant's, the oldest first.</summary>
    public Task<IReadOnlyList<string>> ListAsync(string tenant, CancellationToken cancellationToken) => _records.ListAsync(tenant, cancellationToken);

    /// <summary>Ids of those whose time is over.</summary>
    public IAsyncEnumerable<string> ListExpiredAsync(DateTimeOffset now, CancellationToken cancellationToken) => _records.ListExpiredAsync(now, cancellationToken);

    public Task DeleteAsync(string id, CancellationToken cancellationToken) => _records.DeleteAsync(id, cancellationToken);
}

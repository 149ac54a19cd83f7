using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// Jobs with a strategy: what was submitted, <c>jobs/strategies/{id}</c>, and what their branches are made of, <c>jobs/strategy-content/{id}/{name}</c>. An orchestration's
/// history has neither prompts nor texts, only these names. Where there is a key, the latter are encrypted. (Batches keep theirs here, too.)
/// </summary>
public sealed class StrategyStore(StorageAccount account, ContentKeys keys)
{
    private const string Contents = "strategy-content/";
    private readonly LastingBlobs<StrategyRecord> _records = new(account, "strategies/", ProtocolJson.Default.StrategyRecord);
    private readonly ContentBlobs _contents = new(keys, ContentKind.Strategy);

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <returns>It, or the one of this id that is there.</returns>
    public Task<StrategyRecord> CreateAsync(StrategyRecord record, CancellationToken cancellationToken) =>
        _records.CreateAsync(record.Id, record, record.Submitter.Tenant, record.ExpiresAt, cancellationToken);

    /// <summary>Null where there is none.</summary>
    public Task<StrategyRecord?> FindAsync(string id, CancellationToken cancellationToken) => _records.FindAsync(id, cancellationToken);

    /// <summary>Ids, the oldest first.</summary>
    /// <param name="tenant">Whose; null: all.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    public Task<IReadOnlyList<string>> ListAsync(string? tenant, CancellationToken cancellationToken) => _records.ListAsync(tenant, cancellationToken);

    public Task PutContentAsync(string id, string name, BinaryData content, CancellationToken cancellationToken) =>
        _contents.PutAsync(Content(id, name), id, name, content, [], cancellationToken);

    /// <summary>Null where there is none (any more).</summary>
    /// <exception cref="ContentKeyException">It is there, and its key is not known here.</exception>
    public async Task<BinaryData?> GetContentAsync(string id, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await _contents.GetAsync(Content(id, name), id, name, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    /// <summary>Whether there was anything.</summary>
    public async Task<bool> DeleteContentAsync(string id, CancellationToken cancellationToken)
    {
        bool any = false;
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{Contents}{id}/" }, cancellationToken))
            any |= await Jobs.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
        return any;
    }

    /// <summary>Deletes the contents before the record, as that is how they are found, and behind it what was being written: whoever writes looks for the record afterwards.</summary>
    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await DeleteContentAsync(id, cancellationToken);
        await _records.DeleteAsync(id, cancellationToken);
        await DeleteContentAsync(id, cancellationToken);
    }

    /// <summary>Ids of those whose time is over.</summary>
    public IAsyncEnumerable<string> ListExpiredAsync(DateTimeOffset now, CancellationToken cancellationToken) => _records.ListExpiredAsync(now, cancellationToken);

    private BlobClient Content(string id, string name) => Jobs.GetBlobClient($"{Contents}{id}/{name}");
}

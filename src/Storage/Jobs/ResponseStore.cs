using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// Responses that were answered while their client waited: <c>jobs/responses/{id}</c>, written once. They are no jobs' records: a listing of what is under
/// way must not have to go through them. Encrypted whole where there is a key.
/// </summary>
public sealed class ResponseStore(StorageAccount account, ContentKeys keys)
{
    private const string Responses = "responses/";
    private const string Place = "response";

    private readonly ContentBlobs _contents = new(keys, ContentKind.Response);

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <param name="response">Knows when it expires.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task CreateAsync(StoredResponse response, CancellationToken cancellationToken)
    {
        DateTimeOffset expiresAt = response.ExpiresAt ?? throw new ArgumentException("A response that is kept by itself expires.", nameof(response));
        var content = new BinaryData(JsonSerializer.SerializeToUtf8Bytes(response, ProtocolJson.Default.StoredResponse));
        await _contents.PutAsync(Response(response.Id), response.Id, Place, content, BlobTerms.Write(response.Tenant, expiresAt), cancellationToken);
    }

    /// <summary>Null where there is none, or its time is over.</summary>
    /// <exception cref="ContentKeyException">It is there, and its key is not known here.</exception>
    public async Task<StoredResponse?> FindAsync(string id, DateTimeOffset now, CancellationToken cancellationToken) =>
        JobId.IsValid(id) && await ReadAsync(id, cancellationToken) is { } response && response.ExpiresAt > now ? response : null;

    /// <summary>Ids of a tenant's, the oldest first. One whose metadata does not say whose it is, as an older version wrote them, is read for it.</summary>
    public async IAsyncEnumerable<string> ListAsync(string tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Responses };
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(options, cancellationToken))
        {
            string id = blob.Name[Responses.Length..];
            if ((BlobTerms.TenantOf(blob.Metadata) ?? (await ReadAsync(id, cancellationToken))?.Tenant) == tenant)
                yield return id;
        }
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) =>
        Response(id).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);

    /// <summary>
    /// Deletes those whose time is over. Ids sort by time and storage lists by name: one that is younger than whatever is kept ends it, so that where everybody's are kept
    /// alike and nothing is due one page is listed, however many there are.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="keptAtLeast">How long any is kept. (Those from before it was made longer are found when they are as old.)</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task SweepAsync(DateTimeOffset now, TimeSpan keptAtLeast, CancellationToken cancellationToken)
    {
        string young = Responses + JobId.From(now - keptAtLeast, Guid.Empty);
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Responses };
        await foreach (Page<BlobItem> page in Jobs.GetBlobsAsync(options, cancellationToken).AsPages(pageSizeHint: 100))
        {
            foreach (BlobItem blob in page.Values)
            {
                if (string.CompareOrdinal(blob.Name, young) > 0)
                    return;
                // What does not say so has no time left: it is none of ours.
                if ((BlobTerms.ExpiryOf(blob.Metadata) ?? DateTimeOffset.MinValue) <= now)
                    await Jobs.GetBlobClient(blob.Name).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);
            }
        }
    }

    private async Task<StoredResponse?> ReadAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            BinaryData content = await _contents.GetAsync(Response(id), id, Place, cancellationToken);
            return JsonSerializer.Deserialize(content, ProtocolJson.Default.StoredResponse)
                ?? throw new InvalidDataException($"the response {id} is empty");
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    private BlobClient Response(string id) => Jobs.GetBlobClient(Responses + id);
}

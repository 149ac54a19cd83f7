using System.Globalization;
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
    private const string Expires = "expires";
    private const string Tenant = "tenant";
    private const string Place = "response";

    private readonly ContentBlobs _contents = new(keys, ContentKind.Response);

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <param name="response">Knows when it expires.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task CreateAsync(StoredResponse response, CancellationToken cancellationToken)
    {
        DateTimeOffset expiresAt = response.ExpiresAt ?? throw new ArgumentException("A response that is kept by itself expires.", nameof(response));
        var content = new BinaryData(JsonSerializer.SerializeToUtf8Bytes(response, ProtocolJson.Default.StoredResponse));
        var metadata = new Dictionary<string, string>
        {
            [Expires] = expiresAt.ToString("O", CultureInfo.InvariantCulture),
            [Tenant] = Uri.EscapeDataString(response.Tenant),
        };
        await _contents.PutAsync(Response(response.Id), response.Id, Place, content, metadata, cancellationToken);
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
            string? whose = blob.Metadata.TryGetValue(Tenant, out string? text) ? Uri.UnescapeDataString(text) : (await ReadAsync(id, cancellationToken))?.Tenant;
            if (whose == tenant)
                yield return id;
        }
    }

    public Task DeleteAsync(string id, CancellationToken cancellationToken) =>
        Response(id).DeleteIfExistsAsync(DeleteSnapshotsOption.None, cancellationToken: cancellationToken);

    /// <summary>
    /// Deletes those whose time is over. Ids sort by time and storage lists by name: the first that has time left ends it, so that where nothing is due
    /// one page is listed, however many there are. (After retention was shortened, those from before hold up later ones until their own time is over; nobody finds
    /// what has expired all the same.)
    /// </summary>
    public async Task SweepAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Responses };
        await foreach (Page<BlobItem> page in Jobs.GetBlobsAsync(options, cancellationToken).AsPages(pageSizeHint: 100))
        {
            foreach (BlobItem blob in page.Values)
            {
                if (ExpiryOf(blob) > now)
                    return;
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

    /// <summary>What does not say so has no time left: it is none of ours.</summary>
    private static DateTimeOffset ExpiryOf(BlobItem blob) =>
        blob.Metadata.TryGetValue(Expires, out string? text)
            && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset expiresAt)
            ? expiresAt
            : DateTimeOffset.MinValue;

    private BlobClient Response(string id) => Jobs.GetBlobClient(Responses + id);
}

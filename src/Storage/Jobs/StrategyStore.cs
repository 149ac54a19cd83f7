using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Streaming;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// Jobs with a strategy: what was submitted, <c>jobs/strategies/{id}</c>, and what their branches are made of, <c>jobs/strategy-content/{id}/{name}</c>. An orchestration's
/// history has neither prompts nor texts, only these names.
/// </summary>
public sealed class StrategyStore(StorageAccount account)
{
    private const string Records = "strategies/";
    private const string Contents = "strategy-content/";
    private const string Expires = "expires";

    private BlobContainerClient Jobs => account.Blobs.GetBlobContainerClient(Containers.Jobs);

    /// <exception cref="RequestFailedException">There is one of this id, or storage cannot be reached.</exception>
    public async Task CreateAsync(StrategyRecord record, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All },
            Metadata = new Dictionary<string, string> { [Expires] = record.ExpiresAt.ToString("O", CultureInfo.InvariantCulture) },
        };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(record, ProtocolJson.Default.StrategyRecord);
        await Jobs.GetBlobClient(Records + record.Id).UploadAsync(new BinaryData(json), options, cancellationToken);
    }

    /// <summary>Null where there is none.</summary>
    public async Task<StrategyRecord?> FindAsync(string id, CancellationToken cancellationToken) =>
        JobId.IsValid(id) && await ReadAsync(Records + id, cancellationToken) is { } json
            ? JsonSerializer.Deserialize(json, ProtocolJson.Default.StrategyRecord)
            : null;

    public Task PutContentAsync(string id, string name, BinaryData content, CancellationToken cancellationToken) =>
        Content(id, name).UploadAsync(content, overwrite: true, cancellationToken);

    /// <summary>Null where there is none (any more).</summary>
    public Task<BinaryData?> GetContentAsync(string id, string name, CancellationToken cancellationToken) =>
        ReadAsync($"{Contents}{id}/{name}", cancellationToken);

    /// <summary>Whether there was anything.</summary>
    public async Task<bool> DeleteContentAsync(string id, CancellationToken cancellationToken)
    {
        bool any = false;
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{Contents}{id}/" }, cancellationToken))
            any |= await Jobs.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
        return any;
    }

    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await DeleteContentAsync(id, cancellationToken);
        await Jobs.DeleteBlobIfExistsAsync(Records + id, cancellationToken: cancellationToken);
    }

    /// <summary>Ids of those whose time is over.</summary>
    public async IAsyncEnumerable<string> ListExpiredAsync(DateTimeOffset now, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = Records };
        await foreach (BlobItem blob in Jobs.GetBlobsAsync(options, cancellationToken))
        {
            if (blob.Metadata.TryGetValue(Expires, out string? text)
                && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset expires)
                && expires <= now)
                yield return blob.Name[Records.Length..];
        }
    }

    private BlobClient Content(string id, string name) => Jobs.GetBlobClient($"{Contents}{id}/{name}");

    private async Task<BinaryData?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult blob = await Jobs.GetBlobClient(name).DownloadContentAsync(cancellationToken);
            return blob.Content;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>What was used, by day, tenant and key: <c>keys/usage/{day}/{tenant}/{credential}</c>.</summary>
public sealed class UsageStore(StorageAccount account)
{
    private const string Usage = "usage/";

    /// <summary>Writers that get in between, each once: more than there ever are at a time.</summary>
    private const int MostTries = 20;

    private BlobContainerClient Keys => account.Blobs.GetBlobContainerClient(Containers.Keys);

    /// <summary>Adds to what is there.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: nothing was added that one knows of.</exception>
    public async Task AddAsync(DayUsage more, CancellationToken cancellationToken)
    {
        BlobClient blob = Keys.GetBlobClient($"{Prefix(more.Day, more.Tenant)}{Uri.EscapeDataString(more.Credential)}");
        for (int tries = 0; tries < MostTries; tries++)
        {
            (DayUsage? before, ETag? etag) = await ReadAsync(blob, cancellationToken);
            DayUsage sum = before?.Add(more.Models) ?? more;
            BlobUploadOptions options = new() { Conditions = etag is { } known ? new() { IfMatch = known } : new() { IfNoneMatch = ETag.All } };
            try
            {
                await blob.UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(sum, SecurityJson.Default.DayUsage)), options, cancellationToken);
                return;
            }
            catch (RequestFailedException e) when (e.Status is 404 or 409 or 412)
            {
                // Another edge has added something in between.
            }
        }
        throw new InvalidOperationException($"the usage of {more.Tenant} on {more.Day:O} was changed by others {MostTries} times in a row");
    }

    /// <param name="tenant">Null: all.</param>
    public async IAsyncEnumerable<DayUsage> ListAsync(DateOnly day, string? tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        GetBlobsOptions options = new() { Prefix = Prefix(day, tenant) };
        await foreach (BlobItem item in Keys.GetBlobsAsync(options, cancellationToken))
        {
            if ((await ReadAsync(Keys.GetBlobClient(item.Name), cancellationToken)).Usage is { } usage)
                yield return usage;
        }
    }

    private static async Task<(DayUsage? Usage, ETag? ETag)> ReadAsync(BlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            BlobDownloadResult found = await blob.DownloadContentAsync(cancellationToken);
            return (JsonSerializer.Deserialize(found.Content, SecurityJson.Default.DayUsage), found.Details.ETag);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return (null, null);
        }
    }

    private static string Prefix(DateOnly day, string? tenant)
    {
        string prefix = $"{Usage}{day.ToString("O", CultureInfo.InvariantCulture)}/";
        return tenant is null ? prefix : $"{prefix}{Uri.EscapeDataString(tenant)}/";
    }
}

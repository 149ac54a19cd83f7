using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>What was used on days that are over, by month and tenant: <c>keys/usage-months/{yyyy-MM}/{tenant}</c>.</summary>
internal sealed class UsageMonths(StorageAccount account, UsageDocuments documents)
{
    private const string Months = "usage-months/";

    /// <summary>An ex-leader may get in between, once.</summary>
    private const int MostTries = 20;

    private BlobContainerClient Keys => account.Blobs.GetBlobContainerClient(Containers.Keys);

    /// <summary>Of the month that the day is in, as names have it.</summary>
    public static string Text(DateOnly day) => day.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    /// <param name="month">Any day of it.</param>
    /// <param name="tenant">Null: all.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public async Task<IReadOnlyList<DayUsage>> ReadAsync(DateOnly month, string? tenant, CancellationToken cancellationToken)
    {
        if (tenant is not null)
            return (await documents.ReadMonthAsync(Blob(month, tenant), cancellationToken)).Month.Days;
        List<DayUsage> all = [];
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{Months}{Text(month)}/" }, cancellationToken))
            all.AddRange((await documents.ReadMonthAsync(Keys.GetBlobClient(item.Name), cancellationToken)).Month.Days);
        return all;
    }

    /// <summary>Of all months.</summary>
    /// <param name="tenant">Null: all.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public async Task<IReadOnlyList<DayUsage>> ReadAllAsync(string? tenant, CancellationToken cancellationToken)
    {
        List<DayUsage> all = [];
        await foreach (BlobClient blob in ListAsync(tenant, cancellationToken))
            all.AddRange((await documents.ReadMonthAsync(blob, cancellationToken)).Month.Days);
        return all;
    }

    /// <summary>Answers how many documents there were.</summary>
    public async Task<int> DeleteAsync(string tenant, CancellationToken cancellationToken)
    {
        int deleted = 0;
        await foreach (BlobClient blob in ListAsync(tenant, cancellationToken))
            deleted += await blob.DeleteIfExistsAsync(cancellationToken: cancellationToken) ? 1 : 0;
        return deleted;
    }

    /// <summary>Deletes the months before this one.</summary>
    public async Task DeleteBeforeAsync(DateOnly month, CancellationToken cancellationToken)
    {
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = Months }, cancellationToken))
        {
            // Names sort by month.
            if (string.CompareOrdinal(item.Name, $"{Months}{Text(month)}/") >= 0)
                break;
            await Keys.DeleteBlobIfExistsAsync(item.Name, cancellationToken: cancellationToken);
        }
    }

    /// <summary>False: refused, the leader of a later epoch has written it.</summary>
    /// <param name="day">Of the documents.</param>
    /// <param name="tenant">Whose they are.</param>
    /// <param name="epoch">Of the leader who does it.</param>
    /// <param name="days">What is to be in it.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: it may have been written all the same.</exception>
    public async Task<bool> RollUpAsync(DateOnly day, string tenant, long epoch, IReadOnlyList<DayUsage> days, CancellationToken cancellationToken)
    {
        BlobClient blob = Blob(day, tenant);
        for (int tries = 0; tries < MostTries; tries++)
        {
            (MonthUsage before, ETag? etag) = await documents.ReadMonthAsync(blob, cancellationToken);
            if (before.RollUp(epoch, days) is not { } after)
                return false;
            if (ReferenceEquals(after, before))
                return true;
            BlobUploadOptions options = new() { Conditions = etag is { } known ? new() { IfMatch = known } : new() { IfNoneMatch = ETag.All } };
            try
            {
                await blob.UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(after, SecurityJson.Default.MonthUsage)), options, cancellationToken);
                return true;
            }
            catch (RequestFailedException e) when (e.Status is 404 or 409 or 412)
            {
                // Somebody else leads, or did: what has been written decides.
            }
        }
        throw new InvalidOperationException($"the usage of {tenant} in {Text(day)} was changed by others {MostTries} times in a row");
    }

    private async IAsyncEnumerable<BlobClient> ListAsync(string? tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string end = tenant is null ? "" : $"/{BlobNames.Segment(tenant)}";
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = Months }, cancellationToken))
        {
            if (item.Name.EndsWith(end, StringComparison.Ordinal))
                yield return Keys.GetBlobClient(item.Name);
        }
    }

    private BlobClient Blob(DateOnly month, string tenant) => Keys.GetBlobClient($"{Months}{Text(month)}/{BlobNames.Segment(tenant)}");
}

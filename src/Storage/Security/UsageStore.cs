using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>
/// What was used: a document for each day, tenant and key, <c>keys/usage/{day}/{tenant}/{credential}</c>, which edges add to; and of days that are over one for each month and tenant
/// (<see cref="UsageMonths"/>). A day is looked for in both. What is damaged holds up nobody (<see cref="UsageDocuments"/>).
/// </summary>
public sealed class UsageStore
{
    private const string Usage = "usage/";

    /// <summary>Writers that get in between, each once: more than there ever are at a time.</summary>
    private const int MostTries = 20;

    private readonly StorageAccount _account;
    private readonly UsageDocuments _documents;
    private readonly UsageMonths _months;

    public UsageStore(StorageAccount account, ILogger<UsageStore> logger)
    {
        _account = account;
        _documents = new(account, logger);
        _months = new(account, _documents);
    }

    private BlobContainerClient Keys => _account.Blobs.GetBlobContainerClient(Containers.Keys);

    /// <summary>Adds to what is there. Doing it again, with the same id, adds nothing more.</summary>
    /// <param name="more">What was used since.</param>
    /// <param name="addition">An id of this addition: storage may have taken a write whose answer never came.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: it may have been added all the same.</exception>
    public async Task AddAsync(DayUsage more, string addition, CancellationToken cancellationToken)
    {
        BlobClient blob = Keys.GetBlobClient($"{Usage}{Text(more.Day)}/{BlobNames.Segment(more.Tenant)}/{BlobNames.Segment(more.Credential)}");
        for (int tries = 0; tries < MostTries; tries++)
        {
            (DayUsage? before, ETag? etag) = await _documents.ReadDayAsync(blob, cancellationToken);
            DayUsage sum = before?.Add(more, addition) ?? more with { Document = Guid.NewGuid().ToString("n"), Additions = [addition] };
            if (ReferenceEquals(sum, before))
                return;
            BlobUploadOptions options = new() { Conditions = etag is { } known ? new() { IfMatch = known } : new() { IfNoneMatch = ETag.All } };
            try
            {
                await blob.UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(sum, SecurityJson.Default.DayUsage)), options, cancellationToken);
                return;
            }
            catch (RequestFailedException e) when (e.Status is 404 or 409 or 412)
            {
                // Another edge has added something in between, or the leader has rolled it up; or storage's client has repeated a write whose answer was lost.
            }
        }
        throw new InvalidOperationException($"the usage of {more.Tenant} on {more.Day:O} was changed by others {MostTries} times in a row");
    }

    /// <summary>What each key has used on each of these days, by day, tenant and key.</summary>
    /// <param name="tenant">Null: all.</param>
    public async Task<IReadOnlyList<DayUsage>> ListAsync(DateOnly from, DateOnly to, string? tenant, CancellationToken cancellationToken)
    {
        List<DayUsage> found = [];
        for (DateOnly month = new(from.Year, from.Month, 1); month <= to; month = month.AddMonths(1))
        {
            await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = $"{Usage}{UsageMonths.Text(month)}-" }, cancellationToken))
            {
                if (tenant is not null && !IsOf(tenant, item.Name))
                    continue;
                if ((await _documents.ReadDayAsync(Keys.GetBlobClient(item.Name), cancellationToken)).Usage is { } usage)
                    found.Add(usage);
            }
            // The months behind the days: what is rolled up meanwhile is found in one of them, and counts once where in both.
            found.AddRange(await _months.ReadAsync(month, tenant, cancellationToken));
        }
        return [.. DayUsage.Sums(found.Where(usage => usage.Day >= from && usage.Day <= to))];
    }

    /// <summary>Each document of each day that there is, once.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<DayUsage>> ReadAllAsync(CancellationToken cancellationToken) => DayUsage.Newest(await ReadAsync(tenant: null, cancellationToken));

    /// <summary>
    /// Puts documents of another time or place into their months, where what is known of them already counts once: doing it twice does nothing more. False: refused, the leader of a
    /// later epoch is there.
    /// </summary>
    /// <param name="epoch">Of the leader as far as is known.</param>
    /// <param name="documents">As <see cref="ReadAllAsync"/> gave them.</param>
    /// <param name="cancellationToken">Ends it between two requests.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<bool> RestoreAsync(long epoch, IEnumerable<DayUsage> documents, CancellationToken cancellationToken)
    {
        foreach (IGrouping<(string, string), DayUsage> month in documents.GroupBy(usage => (UsageMonths.Text(usage.Day), usage.Tenant)))
        {
            DayUsage first = month.First();
            if (!await _months.RollUpAsync(first.Day, first.Tenant, epoch, [.. month], cancellationToken))
                return false;
        }
        return true;
    }

    /// <summary>All that a tenant has used, by day and key.</summary>
    public async Task<IReadOnlyList<DayUsage>> ListAllAsync(string tenant, CancellationToken cancellationToken) => [.. DayUsage.Sums(await ReadAsync(tenant, cancellationToken))];

    /// <summary>Deletes what a tenant has used, and answers how many documents there were. What an edge adds or the leader rolls up at this moment may stay.</summary>
    public async Task<int> DeleteAllAsync(string tenant, CancellationToken cancellationToken)
    {
        int deleted = 0;
        await foreach (BlobClient blob in ListBlobsAsync(tenant, cancellationToken))
            deleted += await blob.DeleteIfExistsAsync(cancellationToken: cancellationToken) ? 1 : 0;
        await foreach (DamagedUsage damaged in _documents.ListDamagedAsync(cancellationToken).Where(damaged => damaged.Tenant == BlobNames.Segment(tenant)))
            deleted += await Keys.DeleteBlobIfExistsAsync(damaged.Name, cancellationToken: cancellationToken) ? 1 : 0;
        return deleted + await _months.DeleteAsync(tenant, cancellationToken);
    }

    /// <summary>Deletes what was used in the months before this one, as far as it is rolled up.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task DeleteBeforeAsync(DateOnly month, CancellationToken cancellationToken)
    {
        await foreach (DamagedUsage damaged in _documents.ListDamagedAsync(cancellationToken).Where(damaged => string.CompareOrdinal(damaged.Time, UsageMonths.Text(month)) < 0))
            await Keys.DeleteBlobIfExistsAsync(damaged.Name, cancellationToken: cancellationToken);
        await _months.DeleteBeforeAsync(month, cancellationToken);
    }

    /// <summary>Names of the blobs in <c>keys</c> that hold what was damaged, until somebody has seen to it.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<IReadOnlyList<string>> ListDamagedAsync(CancellationToken cancellationToken) =>
        await _documents.ListDamagedAsync(cancellationToken).Select(damaged => damaged.Name).ToListAsync(cancellationToken);

    /// <summary>
    /// Rolls up the days until <paramref name="last"/>: into their months first, then what is there unchanged is deleted. One listing where there are none. False: refused, the leader of
    /// a later epoch is there.
    /// </summary>
    /// <param name="epoch">Of the leader who does it.</param>
    /// <param name="last">A day that is over everywhere.</param>
    /// <param name="cancellationToken">Ends it between two requests; what is left the next one finds.</param>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<bool> RollUpAsync(long epoch, DateOnly last, CancellationToken cancellationToken)
    {
        string end = $"{Usage}{Text(last.AddDays(1))}/";
        List<StoredDay> together = [];
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = Usage }, cancellationToken))
        {
            if (string.CompareOrdinal(item.Name, end) >= 0)
                break;
            BlobClient blob = Keys.GetBlobClient(item.Name);
            if (await _documents.ReadDayAsync(blob, cancellationToken) is not ({ } usage, { } etag))
                continue;
            // Names sort by day and tenant.
            if (together.Count > 0 && (together[0].Usage.Day, together[0].Usage.Tenant) != (usage.Day, usage.Tenant) && !await RollUpAsync(epoch, together, cancellationToken))
                return false;
            together.Add(new(blob, usage, etag));
        }
        return together.Count == 0 || await RollUpAsync(epoch, together, cancellationToken);
    }

    private async Task<List<DayUsage>> ReadAsync(string? tenant, CancellationToken cancellationToken)
    {
        List<DayUsage> found = [];
        await foreach (BlobClient blob in ListBlobsAsync(tenant, cancellationToken))
        {
            if ((await _documents.ReadDayAsync(blob, cancellationToken)).Usage is { } usage)
                found.Add(usage);
        }
        // The months behind the days: what is rolled up meanwhile is found in one of them.
        found.AddRange(await _months.ReadAllAsync(tenant, cancellationToken));
        return found;
    }

    private async IAsyncEnumerable<BlobClient> ListBlobsAsync(string? tenant, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = Usage }, cancellationToken))
        {
            if (tenant is null || IsOf(tenant, item.Name))
                yield return Keys.GetBlobClient(item.Name);
        }
    }

    /// <summary>Those of one day and tenant, which are none any more then.</summary>
    private async Task<bool> RollUpAsync(long epoch, List<StoredDay> days, CancellationToken cancellationToken)
    {
        DayUsage first = days[0].Usage;
        if (!await _months.RollUpAsync(first.Day, first.Tenant, epoch, [.. days.Select(day => day.Usage)], cancellationToken))
            return false;
        foreach (StoredDay day in days)
            await DeleteAsync(day, cancellationToken);
        days.Clear();
        return true;
    }

    private static async Task DeleteAsync(StoredDay day, CancellationToken cancellationToken)
    {
        try
        {
            await day.Blob.DeleteAsync(DeleteSnapshotsOption.None, new BlobRequestConditions { IfMatch = day.ETag }, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            // An edge that is late has added to it: the next pass rolls that up.
        }
    }

    private static bool IsOf(string tenant, string name) => name.Split('/') is [_, _, var segment, _] && segment == BlobNames.Segment(tenant);

    private static string Text(DateOnly day) => day.ToString("O", CultureInfo.InvariantCulture);

    private sealed record StoredDay(BlobClient Blob, DayUsage Usage, ETag ETag);
}

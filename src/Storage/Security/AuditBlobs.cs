using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>
/// The audit log: append blobs <c>audit/{day}/{part}</c> of JSON lines, which all edges append to. A part that can take no more blocks is followed by the next.
/// A day is that on which a record was appended, which may be a moment after that of its time.
/// </summary>
public sealed class AuditBlobs(StorageAccount account)
{
    /// <summary>https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes</summary>
    private static readonly string[] s_immutable = ["BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"];

    private int _part;
    private DateOnly _day;

    private BlobContainerClient Audit => account.Blobs.GetBlobContainerClient(Containers.Audit);

    /// <summary>Appends all of them at once; one caller at a time.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached: they are not in it, or the answer was lost.</exception>
    public async Task AppendAsync(IReadOnlyCollection<AuditRecord> records, DateTimeOffset now, CancellationToken cancellationToken)
    {
        byte[] lines = Lines(records);
        DateOnly day = DateOnly.FromDateTime(now.UtcDateTime);
        if (day != _day)
            (_day, _part) = (day, 0);
        while (!await TryAppendAsync(lines, cancellationToken))
            _part++;
    }

    /// <summary>The records of a day, in the order in which they were appended.</summary>
    public async IAsyncEnumerable<AuditRecord> ReadAsync(DateOnly day, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        GetBlobsOptions options = new() { Prefix = Prefix(day) };
        await foreach (BlobItem item in Audit.GetBlobsAsync(options, cancellationToken))
        {
            await using Stream content = await Audit.GetBlobClient(item.Name).OpenReadAsync(new BlobOpenReadOptions(allowModifications: true), cancellationToken);
            using StreamReader lines = new(content);
            while (await lines.ReadLineAsync(cancellationToken) is { } line)
                yield return JsonSerializer.Deserialize(line, SecurityJson.Default.AuditRecord) ?? throw new InvalidDataException($"{item.Name} has a line without a record");
        }
    }

    /// <summary>Deletes what was appended before the day, as far as the account's own policy lets anybody; answers how many blobs those were.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<int> DeleteBeforeAsync(DateOnly day, CancellationToken cancellationToken)
    {
        int deleted = 0;
        await foreach (BlobItem item in Audit.GetBlobsAsync(new GetBlobsOptions(), cancellationToken))
        {
            // Names sort by day.
            if (string.CompareOrdinal(item.Name, Prefix(day)) >= 0)
                break;
            try
            {
                deleted += await Audit.DeleteBlobIfExistsAsync(item.Name, cancellationToken: cancellationToken) ? 1 : 0;
            }
            catch (RequestFailedException e) when (s_immutable.Contains(e.ErrorCode))
            {
                // It stays for as long as the container's policy or a hold says.
            }
        }
        return deleted;
    }

    /// <summary>False: the part is full.</summary>
    private async Task<bool> TryAppendAsync(byte[] lines, CancellationToken cancellationToken)
    {
        AppendBlobClient blob = Audit.GetAppendBlobClient($"{Prefix(_day)}{_part:0000}");
        try
        {
            using MemoryStream content = new(lines);
            await blob.AppendBlockAsync(content, cancellationToken: cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            await blob.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            return await TryAppendAsync(lines, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlockCountExceedsLimit)
        {
            return false;
        }
    }

    private static byte[] Lines(IReadOnlyCollection<AuditRecord> records)
    {
        using MemoryStream lines = new();
        foreach (AuditRecord record in records)
        {
            JsonSerializer.Serialize(lines, record, SecurityJson.Default.AuditRecord);
            lines.WriteByte((byte)'\n');
        }
        return lines.ToArray();
    }

    private static string Prefix(DateOnly day) => $"{day.ToString("O", CultureInfo.InvariantCulture)}/";
}

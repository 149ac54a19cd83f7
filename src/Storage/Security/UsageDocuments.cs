using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging;
using OllamaMax.Security;

namespace OllamaMax.Storage.Security;

/// <summary>
/// Reads documents of usage. One that is damaged holds up neither who reads nor who adds: it is put aside as it was, <c>keys/usage-damaged/{name}/{hash of the content}</c>, for whoever mends it, and what can be read of
/// it stays in its place.
/// </summary>
internal sealed partial class UsageDocuments(StorageAccount account, ILogger logger)
{
    private const string Damaged = "usage-damaged/";

    /// <summary>Another edge may mend it at the same time.</summary>
    private const int MostTries = 20;

    private BlobContainerClient Keys => account.Blobs.GetBlobContainerClient(Containers.Keys);

    /// <summary>Null where it is not there, or nothing of it can be read.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public Task<(DayUsage? Usage, ETag? ETag)> ReadDayAsync(BlobClient blob, CancellationToken cancellationToken) =>
        ReadAsync(blob, SecurityJson.Default.DayUsage, day => day.IsWhole, _ => null, cancellationToken);

    /// <summary>Empty where it is not there.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task<(MonthUsage Month, ETag? ETag)> ReadMonthAsync(BlobClient blob, CancellationToken cancellationToken)
    {
        var (month, etag) = await ReadAsync(blob, SecurityJson.Default.MonthUsage, month => month.IsWhole, Salvage, cancellationToken);
        return (month ?? MonthUsage.Empty, etag);
    }

    /// <summary>Those that were put aside; as <c>usage/{day}/{tenant}/…</c> or <c>usage-months/{month}/{tenant}</c> they were known before.</summary>
    public async IAsyncEnumerable<DamagedUsage> ListDamagedAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (BlobItem item in Keys.GetBlobsAsync(new GetBlobsOptions { Prefix = Damaged }, cancellationToken))
        {
            if (item.Name.Split('/') is [_, _, var time, var tenant, ..])
                yield return new(item.Name, time, tenant);
        }
    }

    private async Task<(T? Content, ETag? ETag)> ReadAsync<T>(
        BlobClient blob, JsonTypeInfo<T> type, Predicate<T> isWhole, Func<BinaryData, T?> salvage, CancellationToken cancellationToken)
        where T : class
    {
        for (int tries = 0; tries < MostTries; tries++)
        {
            BlobDownloadResult found;
            try
            {
                found = await blob.DownloadContentAsync(cancellationToken);
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                return (null, null);
            }
            string reason = "something that must be there is missing";
            try
            {
                if (StoredJson.Read(found.Content, blob.Name, type) is var content && isWhole(content))
                    return (content, found.Details.ETag);
            }
            catch (InvalidDataException e)
            {
                reason = e.Message;
            }
            string kept = $"{Damaged}{blob.Name}/{Convert.ToHexStringLower(SHA256.HashData(found.Content))[..16]}";
            await Keys.GetBlobClient(kept).UploadAsync(found.Content, overwrite: true, cancellationToken);
            if (await TryReplaceAsync(blob, found.Details.ETag, salvage(found.Content), type, cancellationToken))
                LogSetAside(blob.Name, reason, kept);
        }
        throw new InvalidOperationException($"{blob.Name} was damaged by others {MostTries} times in a row");
    }

    /// <summary>False: somebody else was there.</summary>
    /// <param name="content">What is to stand there; null: nothing.</param>
    private static async Task<bool> TryReplaceAsync<T>(BlobClient blob, ETag damaged, T? content, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        BlobRequestConditions ifSame = new() { IfMatch = damaged };
        try
        {
            if (content is null)
                await blob.DeleteAsync(DeleteSnapshotsOption.None, ifSame, cancellationToken);
            else
                await blob.UploadAsync(new BinaryData(JsonSerializer.SerializeToUtf8Bytes(content, type)), new BlobUploadOptions { Conditions = ifSame }, cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            return false;
        }
    }

    /// <summary>The days of a month's document that can be read, one by one, until it makes no sense any more.</summary>
    private static MonthUsage Salvage(BinaryData damaged)
    {
        long epoch = 0;
        List<DayUsage> days = [];
        Utf8JsonReader reader = new(damaged);
        try
        {
            while (reader.Read())
            {
                if (reader is { CurrentDepth: 1, TokenType: JsonTokenType.PropertyName } && reader.ValueTextEquals("epoch"))
                    epoch = reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long known) ? known : 0;
                else if (reader is { CurrentDepth: 2, TokenType: JsonTokenType.StartObject } && DayOf(JsonElement.ParseValue(ref reader)) is { } day)
                    days.Add(day);
            }
        }
        catch (JsonException)
        {
            // From here on it is no JSON: what stood before it counts.
        }
        return new(epoch, days);
    }

    private static DayUsage? DayOf(JsonElement element)
    {
        try
        {
            return element.Deserialize(SecurityJson.Default.DayUsage) is { IsWhole: true } day ? day : null;
        }
        catch (JsonException)
        {
            // It is none: the others count.
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Usage {Document} is damaged ({Reason}); it lies as it was in keys/{Kept}, what can be read of it counts, and counting goes on")]
    private partial void LogSetAside(string document, string reason, string kept);
}

/// <summary>A document of usage that was put aside.</summary>
/// <param name="Name">Of its blob.</param>
/// <param name="Time">The day or the month that it is of.</param>
/// <param name="Tenant">As names have it.</param>
internal sealed record DamagedUsage(string Name, string Time, string Tenant);

using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Extensions.Logging;

namespace OllamaMax.TaskHub.Storage;

/// <summary>
/// The right to run the hub's orchestrations: a lease on the blob <c>host</c>. Losing it may be noticed late, so every write is held against an ETag as well, and
/// against the epoch, which grows with each host.
/// </summary>
internal sealed partial class HubLease : IAsyncDisposable
{
    /// <summary>The shortest that storage gives: who comes after a crash waits for its end.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);
    private const string Name = "host";
    private const string EpochName = "epoch";

    private readonly BlobLeaseClient _lease;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _renewing;
    private long _renewedAt;

    private HubLease(BlobLeaseClient lease, long epoch, long acquiredAt, TimeProvider time, ILogger logger)
    {
        _lease = lease;
        _time = time;
        _logger = logger;
        _renewedAt = acquiredAt;
        Epoch = epoch;
        _renewing = RenewAsync();
    }

    /// <summary>Higher than that of every host before.</summary>
    public long Epoch { get; }

    /// <summary>Somebody else may have it from now on.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Null: somebody else has it.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public static async Task<HubLease?> TryAcquireAsync(BlobContainerClient container, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        BlobClient blob = container.GetBlobClient(Name);
        await CreateIfMissingAsync(blob, cancellationToken);
        BlobLeaseClient lease = blob.GetBlobLeaseClient();
        long acquiredAt = time.GetTimestamp();
        try
        {
            await lease.AcquireAsync(Duration, cancellationToken: cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.LeaseAlreadyPresent)
        {
            return null;
        }
        return new(lease, await NextEpochAsync(blob, lease.LeaseId, cancellationToken), acquiredAt, time, logger);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _renewing;
        try
        {
            if (!_lost.IsCancellationRequested)
                await _lease.ReleaseAsync(cancellationToken: CancellationToken.None);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // It ends by itself.
            LogNotReleased(e);
        }
        _stop.Dispose();
        _lost.Dispose();
    }

    private static async Task CreateIfMissingAsync(BlobClient blob, CancellationToken cancellationToken)
    {
        try
        {
            var options = new BlobUploadOptions { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } };
            await blob.UploadAsync(new BinaryData(""), options, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.LeaseIdMissing
            || e.ErrorCode == BlobErrorCode.ConditionNotMet)
        {
        }
    }

    private static async Task<long> NextEpochAsync(BlobClient blob, string leaseId, CancellationToken cancellationToken)
    {
        BlobProperties properties = await blob.GetPropertiesAsync(cancellationToken: cancellationToken);
        long last = properties.Metadata.TryGetValue(EpochName, out string? text) ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
        Dictionary<string, string> metadata = new() { [EpochName] = (last + 1).ToString(CultureInfo.InvariantCulture) };
        await blob.SetMetadataAsync(metadata, new BlobRequestConditions { LeaseId = leaseId }, cancellationToken);
        return last + 1;
    }

    private async Task RenewAsync()
    {
        using PeriodicTimer timer = new(RenewEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (!await TryRenewAsync())
                {
                    await _lost.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>False: it is another's, or may be.</summary>
    private async Task<bool> TryRenewAsync()
    {
        long at = _time.GetTimestamp();
        try
        {
            await _lease.RenewAsync(cancellationToken: _stop.Token);
            _renewedAt = at;
            return true;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogNotRenewed(e);
            return e is not RequestFailedException { Status: 404 or 409 or 412 } && _time.GetElapsedTime(_renewedAt) + RenewEvery < Duration;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of the task hub was not renewed")]
    private partial void LogNotRenewed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of the task hub was not released; it ends by itself")]
    private partial void LogNotReleased(Exception exception);
}

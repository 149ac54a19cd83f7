using System.Globalization;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// One download on its way, for as long as this is not disposed. The lease is renewed beside; should that fail, the next append does, since each
/// carries the lease's id and its own position. Storage that is away is waited for (<see cref="StorageOutage"/>). Not safe for concurrent use.
/// </summary>
public sealed class StagedBlob : IAsyncDisposable
{
    /// <summary>A writer that was killed is in the way for so long.</summary>
    internal static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);

    private const string ValidatorKey = "validator";
    private const string HashKey = "hash";
    private const string VersionsKey = "versions";
    private const int PieceSize = 4 << 20;

    /// <summary>Bytes that are hashed anew after a kill, at most.</summary>
    private const long HashSavedEvery = 256 << 20;

    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(10);

    private readonly AppendBlobClient _blob;
    private readonly BlobLeaseClient _lease;
    private readonly TimeProvider _time;
    private readonly StorageOutage _outage;
    private readonly CancellationTokenSource _disposed = new();
    private readonly Task _renewing;
    private readonly bool _isHashed;
    private bool _isDeleted;

    /// <summary>Of what is there from its first byte on. Its state stands in the blob's own metadata, so that what replaces the content takes it away.</summary>
    private ResumableSha256 _hash = new();
    private long _savedHash;

    internal StagedBlob(AppendBlobClient blob, BlobLeaseClient lease, BlobProperties properties, bool isHashed, TimeProvider time)
    {
        _isHashed = isHashed;
        (_blob, _lease, _time, _outage) = (blob, lease, time, new StorageOutage(time));
        Length = properties.ContentLength;
        Validator = properties.Metadata.TryGetValue(ValidatorKey, out string? kept) ? Uri.UnescapeDataString(kept) : null;
        if (properties.Metadata.TryGetValue(HashKey, out string? state) && Read(state) is { } hash && hash.Length <= Length)
            (_hash, _savedHash) = (hash, hash.Length);
        if (properties.Metadata.TryGetValue(VersionsKey, out string? versions) && int.TryParse(versions, CultureInfo.InvariantCulture, out int lost))
            LostVersions = lost;
        _renewing = RenewAsync();
    }

    /// <summary>Bytes that are safe in storage, from the first on.</summary>
    public long Length { get; private set; }

    /// <summary>What the source said which version of the content it is; null where that needs no saying.</summary>
    public string? Validator { get; private set; }

    /// <summary>Versions of the content that were begun since all of one was there, and thrown away as the source had another one.</summary>
    public int LostVersions { get; private set; }

    /// <summary>Throws away what is there.</summary>
    /// <param name="validator">Of the version that follows.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CatalogException">Storage cannot be written.</exception>
    public Task RestartAsync(string? validator, CancellationToken cancellationToken) => RestartAsync(validator, LostVersions, cancellationToken);

    /// <inheritdoc cref="RestartAsync(string?, CancellationToken)"/>
    /// <summary>Throws away what is there, as the source has another version.</summary>
    public Task LoseAsync(CancellationToken cancellationToken) => RestartAsync(null, LostVersions + 1, cancellationToken);

    /// <summary>All of one version is there.</summary>
    /// <exception cref="CatalogException">Storage cannot be written.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (LostVersions == 0)
            return;
        LostVersions = 0;
        await DoAsync(SaveMetadataAsync, cancellationToken);
    }

    private Task RestartAsync(string? validator, int lostVersions, CancellationToken cancellationToken) => DoAsync(async () =>
    {
        await _blob.CreateAsync(new() { Conditions = new() { LeaseId = _lease.LeaseId }, Metadata = Metadata(validator, null, lostVersions) }, cancellationToken);
        (Length, Validator, LostVersions, _hash, _savedHash) = (0, validator, lostVersions, new(), 0);
    }, cancellationToken);

    /// <param name="bytes">What follows; at most 4 MiB. A blob takes 50,000 appends.</param>
    /// <param name="cancellationToken">Ends the waiting for a storage that is away; what has come is kept.</param>
    /// <exception cref="CatalogException">Storage cannot be written, or somebody else has taken the download over.</exception>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await DoAsync(() => SendAsync(bytes), cancellationToken);
        if (_isHashed && _hash.Length == Length)
            _hash.Append(bytes.Span);
        Length += bytes.Length;
        if (_isHashed && _hash.Length - _savedHash >= HashSavedEvery)
            await DoAsync(SaveHashAsync, cancellationToken);
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        AppendBlobAppendBlockOptions options = new() { Conditions = new() { LeaseId = _lease.LeaseId, IfAppendPositionEqual = Length } };
        try
        {
            await _blob.AppendBlockAsync(BinaryData.FromBytes(bytes).ToStream(), options, CancellationToken.None);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.AppendPositionConditionNotMet)
        {
            // Another try, after an answer that was lost: the lease lets nobody else in.
            long length = (await _blob.GetPropertiesAsync(cancellationToken: CancellationToken.None)).Value.ContentLength;
            if (length != Length + bytes.Length)
                throw;
        }
    }

    /// <summary>Digest of what is there: only that is read for it which was not hashed when it came.</summary>
    /// <exception cref="CatalogException">Storage cannot be read or written.</exception>
    public async Task<string> HashAsync(CancellationToken cancellationToken)
    {
        await DoAsync(() => HashRestAsync(cancellationToken), cancellationToken);
        return ModelDigest.Format(_hash.GetHash());
    }

    /// <summary>Makes what is there a blob of the catalogue, if it is what it should be.</summary>
    /// <returns>As <see cref="ModelBlobs.UploadAsync"/>.</returns>
    /// <exception cref="CatalogException">Storage cannot be read or written.</exception>
    public async Task<string?> PublishAsync(ModelBlobs blobs, string digest, CancellationToken cancellationToken)
    {
        string? actual = null;
        await DoAsync(async () =>
        {
            await using Stream content = await OpenAsync(cancellationToken);
            actual = await blobs.PublishAsync(digest, new(Key, await VersionAsync(cancellationToken)), content, cancellationToken);
        }, cancellationToken);
        return actual;
    }

    /// <summary>Takes it away: its content has become a blob of the catalogue, or is of no use.</summary>
    /// <exception cref="CatalogException">Storage cannot be written.</exception>
    public Task DeleteAsync(CancellationToken cancellationToken) => DoAsync(async () =>
    {
        await _blob.DeleteIfExistsAsync(conditions: new() { LeaseId = _lease.LeaseId }, cancellationToken: cancellationToken);
        _isDeleted = true;
    }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        await _renewing;
        _disposed.Dispose();
        if (_isDeleted)
            return;
        try
        {
            if (Length > 0 && _isHashed)
                await SaveHashAsync();
            // Nothing came: nothing is to be gone on with.
            if (Length == 0)
                await _blob.DeleteIfExistsAsync(conditions: new() { LeaseId = _lease.LeaseId }, cancellationToken: CancellationToken.None);
            else
                await _lease.ReleaseAsync(cancellationToken: CancellationToken.None);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            // Lost, or storage is away: it ends by itself within its time.
        }
    }

    /// <summary>What is there, to be read from wherever it is asked.</summary>
    internal Task<Stream> OpenAsync(CancellationToken cancellationToken) =>
        _blob.OpenReadAsync(new BlobOpenReadOptions(allowModifications: false) { BufferSize = 4 << 20 }, cancellationToken);

    /// <summary>What is downloaded, as of <see cref="StagedBlobs.TryTakeAsync"/>.</summary>
    internal string Key => _blob.Name[ModelPaths.Partials.Length..];

    /// <summary>Another one whenever the content is.</summary>
    internal async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await _blob.GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ETag.ToString();

    /// <summary>A lease that ran out meanwhile can be renewed as long as nobody else has taken it.</summary>
    internal Task DoAsync(Func<Task> work, CancellationToken cancellationToken) =>
        _outage.RunAsync(work, () => _lease.RenewAsync(cancellationToken: cancellationToken), cancellationToken);

    private static Dictionary<string, string> Metadata(string? validator, string? hash, int lostVersions)
    {
        Dictionary<string, string> metadata = [];
        if (validator is not null)
            metadata[ValidatorKey] = Uri.EscapeDataString(validator);
        if (hash is not null)
            metadata[HashKey] = hash;
        if (lostVersions > 0)
            metadata[VersionsKey] = lostVersions.ToString(CultureInfo.InvariantCulture);
        return metadata;
    }

    private static ResumableSha256? Read(string state)
    {
        try
        {
            return ResumableSha256.FromBytes(Convert.FromBase64String(state));
        }
        catch (FormatException)
        {
            // It is hashed anew.
            return null;
        }
    }

    private async Task HashRestAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (_hash.Length < Length)
            {
                BlobDownloadOptions piece = new() { Range = new HttpRange(_hash.Length, Math.Min(PieceSize, Length - _hash.Length)), Conditions = new() { LeaseId = _lease.LeaseId } };
                _hash.Append((await _blob.DownloadContentAsync(piece, cancellationToken)).Value.Content.ToMemory().Span);
                if (_hash.Length - _savedHash >= HashSavedEvery)
                    await SaveHashAsync();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await SaveHashAsync();
            throw;
        }
        await SaveHashAsync();
    }

    private async Task SaveHashAsync()
    {
        if (_hash.Length == _savedHash)
            return;
        await SaveMetadataAsync();
    }

    private async Task SaveMetadataAsync()
    {
        string? hash = _isHashed && _hash.Length > 0 ? Convert.ToBase64String(_hash.ToBytes()) : null;
        await _blob.SetMetadataAsync(Metadata(Validator, hash, LostVersions), new() { LeaseId = _lease.LeaseId }, CancellationToken.None);
        _savedHash = _hash.Length;
    }

    private async Task RenewAsync()
    {
        using PeriodicTimer timer = new(RenewInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_disposed.Token))
                await TryRenewAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or RequestFailedException)
        {
            // Disposed, or no longer ours: the next write finds out.
        }
    }

    private async Task TryRenewAsync()
    {
        try
        {
            await _lease.RenewAsync(cancellationToken: _disposed.Token);
        }
        catch (Exception e) when (StorageOutage.IsPassing(e))
        {
            // Storage is away: again in a while.
        }
    }
}

using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using OllamaMax.Leases;

namespace OllamaMax.Storage.Cluster;

/// <summary>
/// The lease of a blob, <c>cluster/leader</c>: who holds it is the leader. The blob is empty and never written: storage lets a lease that has run out be renewed only
/// as long as nobody has touched it.
/// </summary>
public sealed class BlobLease : ILeaseStore
{
    private readonly BlobContainerClient _container;
    private readonly string _name;

    public BlobLease(StorageAccount account)
        : this(account.Blobs.GetBlobContainerClient(Containers.Cluster), "leader")
    {
    }

    /// <summary>Another blob: tests share a storage account.</summary>
    internal BlobLease(BlobContainerClient container, string name) => (_container, _name) = (container, name);

    public Task<bool> TryAcquireAsync(string id, TimeSpan duration, CancellationToken cancellationToken) => CallAsync("taken", async () =>
    {
        try
        {
            await Lease(id).AcquireAsync(duration, cancellationToken: cancellationToken);
            return true;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            await CreateAsync(cancellationToken);
            return await IsDoneAsync(() => Lease(id).AcquireAsync(duration, cancellationToken: cancellationToken));
        }
        catch (RequestFailedException e) when (IsOthers(e))
        {
            return false;
        }
    }, cancellationToken);

    public Task<bool> TryRenewAsync(string id, CancellationToken cancellationToken) =>
        CallAsync("renewed", () => IsDoneAsync(() => Lease(id).RenewAsync(cancellationToken: cancellationToken)), cancellationToken);

    public async Task ReleaseAsync(string id, CancellationToken cancellationToken) =>
        await CallAsync("released", () => IsDoneAsync(() => Lease(id).ReleaseAsync(cancellationToken: cancellationToken)), cancellationToken);

    /// <summary>Whether somebody holds it, and storage's time.</summary>
    /// <exception cref="StoreException">Storage cannot be reached, or refused.</exception>
    public Task<(bool IsHeld, DateTimeOffset Now)> InspectAsync(CancellationToken cancellationToken) => CallAsync("looked at", async () =>
    {
        try
        {
            Response<BlobProperties> blob = await _container.GetBlobClient(_name).GetPropertiesAsync(cancellationToken: cancellationToken);
            return (blob.Value.LeaseState == LeaseState.Leased, Now(blob.GetRawResponse()));
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return (false, Now(e.GetRawResponse()!));
        }
    }, cancellationToken);

    private static DateTimeOffset Now(Response response) => response.Headers.Date ?? throw new InvalidDataException("storage answered without a Date");

    /// <summary>False where it is somebody else's, or nobody's any more.</summary>
    private static async Task<bool> IsDoneAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (RequestFailedException e) when (IsOthers(e) || e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            return false;
        }
    }

    /// <summary>The many codes of a lease that is not, or no longer, the caller's (409, and 412 where the blob's own was expected).</summary>
    private static bool IsOthers(RequestFailedException e) => e.Status is 409 or 412;

    private async Task CreateAsync(CancellationToken cancellationToken)
    {
        try
        {
            BlobUploadOptions onlyNew = new() { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } };
            await _container.GetBlobClient(_name).UploadAsync(new BinaryData(Array.Empty<byte>()), onlyNew, cancellationToken);
        }
        catch (RequestFailedException e) when (IsOthers(e))
        {
            // Another instance has made it.
        }
    }

    private BlobLeaseClient Lease(string id) => _container.GetBlobClient(_name).GetBlobLeaseClient(id);

    private Task<T> CallAsync<T>(string done, Func<Task<T>> call, CancellationToken cancellationToken) =>
        ClusterStorage.CallAsync(_container, $"{_name}: the lease cannot be {done}", call, cancellationToken);
}

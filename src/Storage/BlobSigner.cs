using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;

namespace OllamaMax.Storage;

/// <summary>
/// Signs addresses of blobs: with the account's key where the account was entered with it, else with a key that storage lends to an identity for some days
/// (a user delegation key), so that no blob's address hangs on the account's own.
/// </summary>
public sealed class BlobSigner(BlobServiceClient blobs)
{
    /// <summary>What a borrowed key lasts beyond the signature that it is borrowed for, so that it serves those to come as well. Storage lends for seven days at most.</summary>
    private static readonly TimeSpan Spare = TimeSpan.FromDays(4);

    private volatile UserDelegationKey? _borrowed;

    /// <param name="blob">Of the account that this was made for.</param>
    /// <param name="permissions">What the address is good for.</param>
    /// <param name="expiresAt">At most three days from now.</param>
    /// <param name="cancellationToken">Ends the wait for a key.</param>
    /// <exception cref="Azure.RequestFailedException">Storage lends no key: the identity has no leave to borrow, or storage cannot be reached.</exception>
    public async ValueTask<Uri> SignAsync(BlobBaseClient blob, BlobSasPermissions permissions, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        blob.CanGenerateSasUri
            ? blob.GenerateSasUri(permissions, expiresAt)
            : blob.GenerateUserDelegationSasUri(permissions, expiresAt, await BorrowAsync(expiresAt, cancellationToken));

    /// <inheritdoc cref="SignAsync(BlobBaseClient, BlobSasPermissions, DateTimeOffset, CancellationToken)"/>
    /// <param name="container">Of the account that this was made for.</param>
    public async ValueTask<Uri> SignAsync(
        BlobContainerClient container, BlobContainerSasPermissions permissions, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        container.CanGenerateSasUri
            ? container.GenerateSasUri(permissions, expiresAt)
            : container.GenerateUserDelegationSasUri(permissions, expiresAt, await BorrowAsync(expiresAt, cancellationToken));

    /// <summary>Two that need one at once may both ask; either key is good.</summary>
    private async ValueTask<UserDelegationKey> BorrowAsync(DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        if (_borrowed is { } known && known.SignedExpiresOn >= expiresAt)
            return known;
        UserDelegationKey key = await blobs.GetUserDelegationKeyAsync(new BlobGetUserDelegationKeyOptions(expiresAt + Spare), cancellationToken);
        _borrowed = key;
        return key;
    }
}

using System.Web;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests;

public sealed class BlobSignerTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Uri Address = new("https://account.blob.core.windows.net/");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sign_IdentityWithoutTheAccountsKey_BorrowsOneForManySignatures()
    {
        using LendingStorage storage = new(Now);
        using HttpClient http = new(storage);
        BlobServiceClient blobs = new(Address, new Identity(), new BlobClientOptions { Transport = new HttpClientTransport(http) });
        BlobSigner signer = new(blobs);
        BlobContainerClient container = blobs.GetBlobContainerClient("models");

        var first = Query(await signer.SignAsync(container.GetBlobClient("a"), BlobSasPermissions.Read, Now.AddMinutes(15), Cancellation));
        var second = Query(await signer.SignAsync(container, BlobContainerSasPermissions.Read, Now.AddDays(1), Cancellation));

        DateTimeOffset lent = storage.Lent.ShouldHaveSingleItem();
        (first["sp"], first["sr"], first["se"], first["skoid"]).ShouldBe(("r", "b", "2026-01-01T12:15:00Z", Guid.Empty.ToString()));
        (second["sr"], second["se"], second["ske"]).ShouldBe(("c", "2026-01-02T12:00:00Z", lent.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Sign_ForLongerThanTheBorrowedKeyLasts_BorrowsAnew()
    {
        using LendingStorage storage = new(Now);
        using HttpClient http = new(storage);
        BlobServiceClient blobs = new(Address, new Identity(), new BlobClientOptions { Transport = new HttpClientTransport(http) });
        BlobSigner signer = new(blobs);
        BlobClient blob = blobs.GetBlobContainerClient("models").GetBlobClient("a");
        await signer.SignAsync(blob, BlobSasPermissions.Read, Now.AddMinutes(15), Cancellation);

        await signer.SignAsync(blob, BlobSasPermissions.Read, storage.Lent[0], Cancellation);
        storage.Lent.Count.ShouldBe(1);
        // The longest that anything is signed for is three days; a day later the first key does not last for it any more.
        storage.Now = Now.AddDays(1.5);
        await signer.SignAsync(blob, BlobSasPermissions.Read, storage.Now.AddDays(3), Cancellation);

        storage.Lent.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Sign_StorageLendsNoKey_SaysSo()
    {
        using LendingStorage storage = new(Now);
        using HttpClient http = new(storage);
        BlobServiceClient blobs = new(Address, new Identity(), new BlobClientOptions { Transport = new HttpClientTransport(http) });
        ValueTask<Uri> signed = new BlobSigner(blobs).SignAsync(blobs.GetBlobContainerClient("models"), BlobContainerSasPermissions.Read, Now.AddDays(8), Cancellation);

        (await Should.ThrowAsync<Azure.RequestFailedException>(signed.AsTask())).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Sign_WithTheAccountsKey_BorrowsNone()
    {
        StorageAccount account = new(azurite.NewAccount());

        Uri signed = await account.Signer.SignAsync(account.Blobs.GetBlobContainerClient("models"), BlobContainerSasPermissions.Read, Now, Cancellation);

        Query(signed)["skoid"].ShouldBeNull();
        Query(signed)["sig"].ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void Account_ByAddress_SignsQueuesWithTheKeyAndBlobsWithout()
    {
        StorageAccount account = new(Address.ToString(), Convert.ToBase64String(new byte[64]));

        account.Queues.GetQueueClient("completions").CanGenerateSasUri.ShouldBeTrue();
        account.Queues.Uri.ShouldBe(new Uri("https://account.queue.core.windows.net/"));
        account.Blobs.GetBlobContainerClient("models").CanGenerateSasUri.ShouldBeFalse();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not base64")]
    public void Account_ByAddressWithoutAKey_IsRefused(string? key) =>
        Should.Throw<ArgumentException>(() => new StorageAccount(Address.ToString(), key)).Message.ShouldContain("key");

    private static System.Collections.Specialized.NameValueCollection Query(Uri uri) => HttpUtility.ParseQueryString(uri.Query);

    private sealed class Identity : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => new("token", DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(GetToken(requestContext, cancellationToken));
    }
}

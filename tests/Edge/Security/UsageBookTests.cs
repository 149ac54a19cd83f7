using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Edge.Security.Usage;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class UsageBookTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Whether the write arrived the edge does not know; it did.</summary>
    [Fact]
    public async Task Flush_AfterOneThatWasCutOffInMidWrite_CountsOnce()
    {
        string connection = azurite.NewAccount();
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        StorageAccount account = new(relay.Through(connection));
        await account.CreateContainersAsync(Cancellation);
        UsageStore store = new(account, NullLogger<UsageStore>.Instance);
        using UsageBook book = new(store, new CredentialNames(), TimeProvider.System, NullLogger<UsageBook>.Instance);
        using CancellationTokenSource cut = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        book.Add("tenant", "k1", "demo", new(1, 7, 2));

        Task lost = relay.LoseAsync($"PUT /{account.Blobs.AccountName}/{Containers.Keys}/usage/");
        Task flush = book.FlushAsync(cut.Token);
        await lost;
        await cut.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(flush);
        book.Add("tenant", "k1", "demo", new(1, 7, 2));
        await book.FlushAsync(Cancellation);

        DayUsage[] all = [.. await store.ReadAllAsync(Cancellation)];
        all.Sum(usage => usage.Models["demo"].Requests).ShouldBe(2);
    }

    /// <summary>What is there for one key nobody can read, and another's name is longer than storage's names are.</summary>
    [Fact]
    public async Task Flush_OneIsDamaged_IsSaidAndAllAreWritten()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        LogLines logs = new();
        using LoggerFactory loggers = new([logs]);
        UsageStore store = new(account, loggers.CreateLogger<UsageStore>());
        using UsageBook book = new(store, new CredentialNames(), TimeProvider.System, loggers.CreateLogger<UsageBook>());
        book.Add("tenant", "damaged", "demo", new(1, 7, 2));
        await book.FlushAsync(Cancellation);
        var keys = account.Blobs.GetBlobContainerClient(Containers.Keys);
        await foreach (var blob in keys.GetBlobsAsync(cancellationToken: Cancellation))
            await keys.GetBlobClient(blob.Name).UploadAsync(new BinaryData("{"), overwrite: true, Cancellation);
        string longer = new('ü', 300);

        book.Add("tenant", "damaged", "demo", new(1, 7, 2));
        book.Add("tenant", longer, "demo", new(1, 7, 2));
        book.Add(longer, "..", "demo", new(1, 7, 2));
        await book.FlushAsync(Cancellation);

        logs.Lines.ShouldHaveSingleItem().ShouldContain("/tenant/damaged is damaged");
        (await store.ListAllAsync(longer, Cancellation)).ShouldHaveSingleItem().Credential.ShouldBe("..");
        (await store.ListAllAsync("tenant", Cancellation)).Select(usage => usage.Credential).ShouldBe(["damaged", longer]);
    }
}

using OllamaMax.Security;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Security;

public sealed class UseStoreTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DeleteUnused_OnlyWhatNobodyHasWrittenSince_IsGone()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        UseStore store = new(account);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        SharedUse used = SharedUse.Nothing.Spend(7, now);
        await store.WriteAsync("key:one", await store.ReadAsync("key:one", Cancellation), used, Cancellation);

        await store.DeleteUnusedAsync(now.AddDays(-1), Cancellation);
        StoredUse kept = await store.ReadAsync("key:one", Cancellation);
        await store.DeleteUnusedAsync(now.AddDays(1), Cancellation);

        kept.Use.DayTokens.ShouldBe(used.DayTokens);
        (await store.ReadAsync("key:one", Cancellation)).Use.ShouldBeSameAs(SharedUse.Nothing);
        (await store.WriteAsync("key:one", kept, used, Cancellation)).ShouldBeNull("whoever knew it begins anew");
    }
}

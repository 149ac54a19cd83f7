using Azure;
using OllamaMax.Security;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Security;

public sealed class KeyStoreTests(AzuriteFixture azurite)
{
    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private KeyStore Store => new(_account);

    [Fact]
    public async Task Find_KnownAndUnchanged_IsTheSameObject()
    {
        (ApiKey key, _) = await CreateAsync();

        StoredKey first = (await Store.FindAsync(key.Id, known: null, Cancellation)).ShouldNotBeNull();
        StoredKey? again = await Store.FindAsync(key.Id, first, Cancellation);

        first.Record.Accepts(key, TimeProvider.System.GetUtcNow()).ShouldBeTrue();
        again.ShouldBeSameAs(first);
    }

    [Theory]
    [InlineData("0123456789abcdef")]
    [InlineData("../used/01234567")]
    [InlineData("nobody")]
    public async Task Find_Unknown_IsNull(string id)
    {
        await _account.CreateContainersAsync(Cancellation);

        (await Store.FindAsync(id, known: null, Cancellation)).ShouldBeNull();
        (await Store.DeleteAsync(id, Cancellation)).ShouldBeFalse();
    }

    [Fact]
    public async Task Replace_ChangedByAnother_IsRefused()
    {
        (ApiKey key, _) = await CreateAsync();
        StoredKey mine = (await Store.FindAsync(key.Id, known: null, Cancellation))!;

        (await Store.ReplaceAsync(mine, mine.Record with { Name = "theirs" }, Cancellation)).ShouldNotBeNull();

        (await Store.ReplaceAsync(mine, mine.Record with { Name = "mine" }, Cancellation)).ShouldBeNull();
        (await Store.FindAsync(key.Id, mine, Cancellation))!.Record.Name.ShouldBe("theirs");
    }

    /// <summary>Storage has taken the write, its client repeats it, as it does all, and is refused: that was its own.</summary>
    [Fact]
    public async Task Replace_AnswerIsLost_IsTheKeyAsItIsNow()
    {
        (ApiKey key, _) = await CreateAsync();
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        KeyStore store = new(new StorageAccount(relay.Through(azurite.ConnectionString)));
        StoredKey found = (await store.FindAsync(key.Id, known: null, Cancellation))!;

        Task lost = relay.LoseAsync($"PUT /{_account.Blobs.AccountName}/{Containers.Keys}/records/{key.Id}");
        StoredKey? written = await store.ReplaceAsync(found, found.Record with { Name = "mine" }, Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        (await Store.FindAsync(key.Id, known: null, Cancellation))!.ETag.ShouldBe(written.ShouldNotBeNull().ETag);
    }

    [Fact]
    public async Task Delete_Key_IsGoneForWhoKnewItToo()
    {
        (ApiKey key, _) = await CreateAsync();
        StoredKey known = (await Store.FindAsync(key.Id, known: null, Cancellation))!;

        (await Store.DeleteAsync(key.Id, Cancellation)).ShouldBeTrue();

        (await Store.FindAsync(key.Id, known, Cancellation)).ShouldBeNull();
        (await Store.ListAsync(Cancellation)).ShouldNotContain(record => record.Id == key.Id);
    }

    /// <summary>Whoever revokes a key would be told that there is none, and look for the right one.</summary>
    [Fact]
    public async Task Delete_AnswerIsLost_WasThere()
    {
        (ApiKey key, _) = await CreateAsync();
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        KeyStore store = new(new StorageAccount(relay.Through(azurite.ConnectionString)));

        Task lost = relay.LoseAsync($"DELETE /{_account.Blobs.AccountName}/{Containers.Keys}/records/{key.Id}");
        bool wasThere = await store.DeleteAsync(key.Id, Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        wasThere.ShouldBeTrue();
        (await Store.FindAsync(key.Id, known: null, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Create_IdThatIsTaken_IsRefused()
    {
        (_, KeyRecord record) = await CreateAsync();

        (await Should.ThrowAsync<RequestFailedException>(Store.CreateAsync(record, Cancellation))).Status.ShouldBe(409);
    }

    /// <summary>Storage has taken the write, its client repeats it and is refused: whoever makes a key would be told that it is none, and never see its secret.</summary>
    [Fact]
    public async Task Create_AnswerIsLost_IsThere()
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        KeyStore store = new(new StorageAccount(relay.Through(azurite.ConnectionString)));
        await _account.CreateContainersAsync(Cancellation);
        ApiKey key = ApiKey.Create();

        Task lost = relay.LoseAsync($"PUT /{_account.Blobs.AccountName}/{Containers.Keys}/records/{key.Id}");
        await store.CreateAsync(RecordOf(key), Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        (await Store.FindAsync(key.Id, known: null, Cancellation)).ShouldNotBeNull().Record.Accepts(key, TimeProvider.System.GetUtcNow()).ShouldBeTrue();
    }

    [Fact]
    public async Task MarkUsed_Key_ListsWhen()
    {
        (ApiKey key, _) = await CreateAsync();

        await Store.MarkUsedAsync(key.Id, Cancellation);
        await Store.MarkUsedAsync(key.Id, Cancellation);

        (await Store.ListUsedAsync(Cancellation)).Keys.ShouldContain(key.Id);
    }

    private async Task<(ApiKey Key, KeyRecord Record)> CreateAsync()
    {
        await _account.CreateContainersAsync(Cancellation);
        ApiKey key = ApiKey.Create();
        KeyRecord record = RecordOf(key);
        await Store.CreateAsync(record, Cancellation);
        return (key, record);
    }

    private static KeyRecord RecordOf(ApiKey key) => new()
    {
        Id = key.Id,
        Name = "test",
        Tenant = "acme",
        Role = Role.User,
        CreatedAt = TimeProvider.System.GetUtcNow(),
        CreatedBy = "test",
        Secrets = [KeySecret.Of(key)],
    };
}

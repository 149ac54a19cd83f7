using System.Text.Json;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Security;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Security;

public sealed class UsageStoreTests
{
    private static readonly DateOnly From = new(2026, 1, 30);
    private static readonly DateOnly To = new(2026, 2, 2);

    private readonly int _port;
    private readonly string _connection;
    private readonly StorageAccount _account;
    private int _additions;

    public UsageStoreTests(AzuriteFixture azurite)
    {
        _port = azurite.Process.Endpoints.BlobPort;
        _connection = azurite.NewAccount();
        _account = new(_connection);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private UsageStore Store => new(_account, NullLogger<UsageStore>.Instance);

    private BlobContainerClient Keys => _account.Blobs.GetBlobContainerClient(Containers.Keys);

    [Fact]
    public async Task RollUp_DaysThatAreOver_LeavesTheSameSumsInAMonthsDocuments()
    {
        await UseAsync();
        string[] before = await SumsAsync();

        (await Store.RollUpAsync(1, To.AddDays(-1), Cancellation)).ShouldBeTrue();
        (await Store.RollUpAsync(2, To.AddDays(-1), Cancellation)).ShouldBeTrue();

        (await SumsAsync()).ShouldBe(before);
        before.Length.ShouldBe(5);
        (await NamesAsync("usage/")).ShouldHaveSingleItem().ShouldStartWith("usage/2026-02-02/");
        (await NamesAsync("usage-months/")).ShouldBe(["usage-months/2026-01/other", "usage-months/2026-01/tenant", "usage-months/2026-02/tenant"]);
        (await Store.ListAsync(From, To, "other", Cancellation)).ShouldHaveSingleItem().Credential.ShouldBe("k2");
    }

    /// <summary>A leader is killed after the month was written and before the day was deleted; then somebody who is late adds to that day.</summary>
    [Fact]
    public async Task RollUp_CutOffInBetween_CountsNothingTwiceAndLosesNothing()
    {
        await UseAsync();
        string[] before = await SumsAsync();
        UsageMonths months = new(_account, new UsageDocuments(_account, NullLogger.Instance));
        foreach (DayUsage day in await DocumentsAsync())
            await months.RollUpAsync(day.Day, day.Tenant, 1, [day], Cancellation);
        (await SumsAsync()).ShouldBe(before);

        await AddAsync(Used(From, "tenant", "k1", 1));
        string[] after = await SumsAsync();
        await Store.RollUpAsync(2, To, Cancellation);
        (await SumsAsync()).ShouldBe(after);
        (await NamesAsync("usage/")).ShouldBeEmpty();

        await AddAsync(Used(From, "tenant", "k1", 1));
        await Store.RollUpAsync(2, To, Cancellation);

        (await SumsAsync())[0].ShouldBe("2026-01-30 tenant k1 5");
        after[0].ShouldBe("2026-01-30 tenant k1 4");
        before[0].ShouldBe("2026-01-30 tenant k1 3");
    }

    [Fact]
    public async Task RollUp_OfAnEarlierEpoch_IsRefusedAndDeletesNothing()
    {
        await UseAsync();
        await Store.RollUpAsync(5, From, Cancellation);
        await AddAsync(Used(From, "tenant", "k1", 1));

        (await Store.RollUpAsync(4, From, Cancellation)).ShouldBeFalse();

        (await NamesAsync("usage/2026-01-30/")).ShouldHaveSingleItem();
        (await SumsAsync())[0].ShouldBe("2026-01-30 tenant k1 4");
    }

    [Fact]
    public async Task RollUp_OneIsDamaged_TheOthersCountAndItLiesAsideAsItWas()
    {
        await UseAsync();
        string damaged = (await NamesAsync("usage/2026-01-30/")).ShouldHaveSingleItem();
        await PutAsync(damaged, """{"day":"2026-01-30","tenant":"tenant","credential":"k1"}""");

        string[] before = await SumsAsync();
        (await Store.RollUpAsync(1, To, Cancellation)).ShouldBeTrue();

        before.Length.ShouldBe(4);
        (await SumsAsync()).ShouldBe(before);
        (await NamesAsync("usage/")).ShouldBeEmpty();
        (await Store.ListDamagedAsync(Cancellation)).ShouldHaveSingleItem().ShouldStartWith($"usage-damaged/{damaged}/");
        (await DamagedAsync()).ShouldBe(["""{"day":"2026-01-30","tenant":"tenant","credential":"k1"}"""]);
    }

    /// <summary>What a key uses that day would be told to a log alone.</summary>
    [Fact]
    public async Task Add_ToWhatIsDamaged_CountsFromThereOn()
    {
        await _account.CreateContainersAsync(Cancellation);
        await AddAsync(Used(From, "tenant", "k1", 2));
        await PutAsync((await NamesAsync("usage/")).Single(), "{");

        await AddAsync(Used(From, "tenant", "k1", 3));
        await AddAsync(Used(From, "tenant", "k1", 1));

        (await SumsAsync()).ShouldBe(["2026-01-30 tenant k1 4"]);
        (await DamagedAsync()).ShouldBe(["{"]);
    }

    /// <summary>One day of it is none, and behind another it is cut off.</summary>
    [Theory]
    [InlineData("\"tenant\":\"tenant\",\"credential\":\"k1\"", "\"tenant\":null,\"credential\":7", 4)]
    [InlineData("{\"day\":\"2026-01-31\"", "", 4)]
    [InlineData("{\"epoch\"", "\"epoch\"", 3)]
    public async Task Month_IsDamaged_WhatCanBeReadOfItCountsAndTheRestOfTheTenantsToo(string sound, string damaged, int left)
    {
        await UseAsync();
        await Store.RollUpAsync(3, From.AddDays(1), Cancellation);
        string[] before = await SumsAsync();
        const string Month = "usage-months/2026-01/tenant";
        string content = (await Keys.GetBlobClient(Month).DownloadContentAsync(Cancellation)).Value.Content.ToString();
        int at = content.IndexOf(sound, StringComparison.Ordinal);
        string broken = damaged.Length > 0 ? content[..at] + damaged + content[(at + sound.Length)..] : content[..at];
        await PutAsync(Month, broken);

        string[] read = await SumsAsync();
        await AddAsync(Used(From.AddDays(1), "tenant", "k9", 5));
        (await Store.RollUpAsync(3, From.AddDays(1), Cancellation)).ShouldBeTrue();

        read.Length.ShouldBe(left);
        before.ShouldBe(before.Union(read));
        (await SumsAsync()).ShouldBe([.. read.Append("2026-01-31 tenant k9 5").Order(StringComparer.Ordinal)]);
        (await NamesAsync("usage/2026-01")).ShouldBeEmpty();
        (await DamagedAsync()).ShouldBe([broken]);
    }

    [Fact]
    public async Task DeleteAll_OfATenant_TakesWhatLiesAsideToo()
    {
        await UseAsync();
        foreach (string name in await NamesAsync("usage/2026-01-31/"))
            await PutAsync(name, "{");
        await SumsAsync();

        await Store.DeleteAllAsync("tenant", Cancellation);

        (await NamesAsync("usage-damaged/")).ShouldHaveSingleItem().ShouldContain("/other/");
        (await SumsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task DeleteBefore_AMonth_LeavesThatAndLaterOnes()
    {
        await UseAsync();
        await PutAsync((await NamesAsync("usage/2026-01-30/")).Single(), "{");
        await PutAsync((await NamesAsync("usage/2026-02-02/")).Single(), "{");
        await Store.RollUpAsync(1, To, Cancellation);

        await Store.DeleteBeforeAsync(new(2026, 2, 28), Cancellation);

        (await SumsAsync()).ShouldBe(["2026-02-01 tenant k1 1"]);
        (await NamesAsync("usage-damaged/")).ShouldHaveSingleItem().ShouldStartWith("usage-damaged/usage/2026-02-02/");
    }

    /// <summary>Storage has taken the write, its client repeats it, as it does all, and is refused: that was its own.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Add_AnswerIsLost_CountsOnce(bool wasThere)
    {
        await using MeddlingRelay relay = new(_port);
        UsageStore store = new(new StorageAccount(relay.Through(_connection)), NullLogger<UsageStore>.Instance);
        await _account.CreateContainersAsync(Cancellation);
        if (wasThere)
            await AddAsync(Used(From, "tenant", "k1", 2));

        Task lost = relay.LoseAsync($"PUT /{_account.Blobs.AccountName}/{Containers.Keys}/usage/");
        await store.AddAsync(Used(From, "tenant", "k1", 1), "mine", Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        (await SumsAsync()).ShouldBe([wasThere ? "2026-01-30 tenant k1 3" : "2026-01-30 tenant k1 1"]);
    }

    /// <summary>It gives up, others add meanwhile, and it tries again.</summary>
    [Fact]
    public async Task Add_AgainAfterAWriteThatMayHaveArrived_CountsOnce()
    {
        await _account.CreateContainersAsync(Cancellation);
        DayUsage more = Used(From, "tenant", "k1", 1);
        await Store.AddAsync(more, "mine", Cancellation);
        await AddAsync(Used(From, "tenant", "k1", 4));

        await Store.AddAsync(more, "mine", Cancellation);

        (await SumsAsync()).ShouldBe(["2026-01-30 tenant k1 5"]);
    }

    private Task AddAsync(DayUsage more) => Store.AddAsync(more, $"{++_additions}", Cancellation);

    private async Task UseAsync()
    {
        await _account.CreateContainersAsync(Cancellation);
        await AddAsync(Used(From, "tenant", "k1", 2));
        await AddAsync(Used(From, "tenant", "k1", 1));
        await AddAsync(Used(From.AddDays(1), "tenant", "k1", 1));
        await AddAsync(Used(From.AddDays(1), "other", "k2", 4));
        await AddAsync(Used(To.AddDays(-1), "tenant", "k1", 1));
        await AddAsync(Used(To, "tenant", "k1", 1));
    }

    private async Task<string[]> SumsAsync() =>
        [.. (await Store.ListAsync(From, To, tenant: null, Cancellation)).Select(sum => $"{sum.Day:yyyy-MM-dd} {sum.Tenant} {sum.Credential} {sum.Models["demo"].Requests}")];

    private async Task<IReadOnlyList<DayUsage>> DocumentsAsync()
    {
        List<DayUsage> all = [];
        foreach (string name in await NamesAsync("usage/"))
            all.Add(JsonSerializer.Deserialize((await Keys.GetBlobClient(name).DownloadContentAsync(Cancellation)).Value.Content, SecurityJson.Default.DayUsage)!);
        return all;
    }

    private async Task PutAsync(string name, string content) => await Keys.GetBlobClient(name).UploadAsync(BinaryData.FromString(content), overwrite: true, Cancellation);

    private async Task<string[]> DamagedAsync()
    {
        List<string> all = [];
        foreach (string name in await Store.ListDamagedAsync(Cancellation))
            all.Add((await Keys.GetBlobClient(name).DownloadContentAsync(Cancellation)).Value.Content.ToString());
        return [.. all];
    }

    private async Task<string[]> NamesAsync(string prefix) =>
        [.. await Keys.GetBlobsAsync(new() { Prefix = prefix }, Cancellation).Select(blob => blob.Name).ToListAsync(Cancellation)];

    private static DayUsage Used(DateOnly day, string tenant, string key, long requests) =>
        new(day, tenant, key, new Dictionary<string, UseCount> { ["demo"] = new(requests, 7 * requests, 2 * requests) });
}

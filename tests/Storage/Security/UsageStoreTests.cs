using System.Text.Json;
using Azure.Storage.Blobs;
using OllamaMax.Security;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Security;

public sealed class UsageStoreTests(AzuriteFixture azurite)
{
    private static readonly DateOnly From = new(2026, 1, 30);
    private static readonly DateOnly To = new(2026, 2, 2);

    private readonly StorageAccount _account = new(azurite.NewAccount());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private UsageStore Store => new(_account);

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
        UsageMonths months = new(_account);
        foreach (DayUsage day in await DocumentsAsync())
            await months.RollUpAsync(day.Day, day.Tenant, 1, [day], Cancellation);
        (await SumsAsync()).ShouldBe(before);

        await Store.AddAsync(Used(From, "tenant", "k1", 1), Cancellation);
        string[] after = await SumsAsync();
        await Store.RollUpAsync(2, To, Cancellation);
        (await SumsAsync()).ShouldBe(after);
        (await NamesAsync("usage/")).ShouldBeEmpty();

        await Store.AddAsync(Used(From, "tenant", "k1", 1), Cancellation);
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
        await Store.AddAsync(Used(From, "tenant", "k1", 1), Cancellation);

        (await Store.RollUpAsync(4, From, Cancellation)).ShouldBeFalse();

        (await NamesAsync("usage/2026-01-30/")).ShouldHaveSingleItem();
        (await SumsAsync())[0].ShouldBe("2026-01-30 tenant k1 4");
    }

    private async Task UseAsync()
    {
        await _account.CreateContainersAsync(Cancellation);
        await Store.AddAsync(Used(From, "tenant", "k1", 2), Cancellation);
        await Store.AddAsync(Used(From, "tenant", "k1", 1), Cancellation);
        await Store.AddAsync(Used(From.AddDays(1), "tenant", "k1", 1), Cancellation);
        await Store.AddAsync(Used(From.AddDays(1), "other", "k2", 4), Cancellation);
        await Store.AddAsync(Used(To.AddDays(-1), "tenant", "k1", 1), Cancellation);
        await Store.AddAsync(Used(To, "tenant", "k1", 1), Cancellation);
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

    private async Task<string[]> NamesAsync(string prefix) =>
        [.. await Keys.GetBlobsAsync(new() { Prefix = prefix }, Cancellation).Select(blob => blob.Name).ToListAsync(Cancellation)];

    private static DayUsage Used(DateOnly day, string tenant, string key, long requests) =>
        new(day, tenant, key, new Dictionary<string, UseCount> { ["demo"] = new(requests, 7 * requests, 2 * requests) });
}

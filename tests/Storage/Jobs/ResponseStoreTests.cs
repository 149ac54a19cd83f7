using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Jobs;

public sealed class ResponseStoreTests(AzuriteFixture azurite)
{
    /// <summary>Long ago: what other tests sweep is not theirs.</summary>
    private static readonly DateTimeOffset Now = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly StorageAccount _account = new(azurite.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ResponseStore Store => new(_account, ContentKeys.None);

    [Fact]
    public async Task Find_WhatWasCreated_IsTheSameUntilItsTimeIsOver()
    {
        StoredResponse response = await CreateAsync(Now, Now.AddHours(1));

        StoredResponse found = (await Store.FindAsync(response.Id, Now, Cancellation)).ShouldNotBeNull();

        JsonSerializer.Serialize(found).ShouldBe(JsonSerializer.Serialize(response));
        (await Store.FindAsync(response.Id, Now.AddHours(1), Cancellation)).ShouldBeNull();
        (await Store.FindAsync("../records/x", Now, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Sweep_SomeHaveExpired_TheyAloneAreDeleted()
    {
        StoredResponse[] old = [await CreateAsync(Now.AddYears(-9), Now.AddYears(-8)), await CreateAsync(Now.AddYears(-7), Now.AddYears(-6))];
        StoredResponse later = await CreateAsync(Now.AddYears(-5), Now.AddYears(-4));

        await Store.SweepAsync(Now.AddYears(-5), TimeSpan.FromDays(1), Cancellation);

        foreach (StoredResponse gone in old)
            (await Store.FindAsync(gone.Id, DateTimeOffset.MinValue, Cancellation)).ShouldBeNull();
        (await Store.FindAsync(later.Id, DateTimeOffset.MinValue, Cancellation)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Sweep_AnotherTenantKeepsItsForLonger_DoesNotHoldUpThoseThatAreDue()
    {
        DateTimeOffset at = Now.AddYears(-20);
        StoredResponse kept = await CreateAsync(at, at.AddYears(1), "keeps");
        StoredResponse due = await CreateAsync(at.AddHours(1), at.AddHours(2), "forgets");

        await Store.SweepAsync(at.AddHours(3), TimeSpan.FromHours(1), Cancellation);

        (await Store.FindAsync(due.Id, DateTimeOffset.MinValue, Cancellation)).ShouldBeNull();
        (await Store.FindAsync(kept.Id, DateTimeOffset.MinValue, Cancellation)).ShouldNotBeNull();
        await Store.DeleteAsync(kept.Id, Cancellation);
    }

    private async Task<StoredResponse> CreateAsync(DateTimeOffset createdAt, DateTimeOffset expiresAt, string tenant = "tenant")
    {
        await _account.CreateContainersAsync(Cancellation);
        FakeTimeProvider time = new(createdAt);
        StoredResponse response = new()
        {
            Id = JobId.New(time),
            Tenant = tenant,
            CreatedAt = createdAt,
            ExpiresAt = expiresAt,
            Settings = JsonElement.Parse("""{"store":true}"""),
            Input = [JsonElement.Parse("""{"id":"msg_1"}""")],
            PreviousId = "resp_x",
            Answer = JsonElement.Parse("""{"output":[]}"""),
        };
        await Store.CreateAsync(response, Cancellation);
        return response;
    }
}

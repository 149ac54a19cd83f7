using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Security.Limits;
using OllamaMax.Edge.Tenants;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

/// <summary>Several edges that share a limit through storage.</summary>
public sealed class LimitAccountTests(AzuriteFixture azurite) : IDisposable
{
    private readonly string _id = Guid.NewGuid().ToString("n");
    private readonly WatchedTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _operations = [];
    private ActivityListener? _listener;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(60, 1)]
    [InlineData(60, 2)]
    [InlineData(300, 3)]
    public async Task Admit_BurstAtSeveralEdges_TogetherExactlyTheLimitAndNoMoreThanAnOperationEach(int limit, int edges)
    {
        UsageLimits limits = new() { RequestsPerMinute = limit };
        LimitAccount[] accounts = await StartAsync(edges);
        int admitted = 0;

        // Each edge is asked for more than the limit, one request after the other, all edges at once.
        await Task.WhenAll(accounts.Select(async account =>
        {
            for (int i = 0; i < limit + 10; i++)
            {
                if ((await account.AdmitAsync(limits, Cancellation)).Refusal is null)
                    Interlocked.Increment(ref admitted);
            }
        }));

        admitted.ShouldBe(limit);
        _operations.Count.ShouldBeLessThanOrEqualTo(limit * edges, string.Join('\n', _operations));
    }

    /// <summary>What is there of one nobody can read.</summary>
    [Fact]
    public async Task FlushBook_UseThatIsDamaged_OthersAreTold()
    {
        StorageAccount account = new(azurite.NewAccount());
        await account.CreateContainersAsync(Cancellation);
        UseStore store = new(account);
        using LimitBook book = new(store, new EdgeIdentity(), Options.Create(new TenantOptions()), _time, NullLogger<LimitBook>.Instance);
        UsageLimits limits = new() { TokensPerDay = 100 };
        string[] keys = ["damaged", "sound", new('ü', 300)];
        await account.Blobs.GetBlobContainerClient(Containers.Keys).GetBlobClient("limits/key%3Adamaged").UploadAsync(new BinaryData("{"), Cancellation);
        foreach (string key in keys)
            book.Spend("tenant", key, limits, 7);

        await book.FlushAsync(all: true, Cancellation);

        foreach (string key in keys[1..])
            (await store.ReadAsync($"key:{key}", Cancellation)).ETag.ShouldNotBeNull(key);
        await Should.ThrowAsync<InvalidDataException>(() => store.ReadAsync("key:damaged", Cancellation));
    }

    [Fact]
    public async Task Flush_IdleEdge_GivesBackWhatItHasTakenInAdvance()
    {
        UsageLimits limits = new() { RequestsPerMinute = 100 };
        LimitAccount[] accounts = await StartAsync(2);
        for (int i = 0; i < 4; i++)
            (await accounts[0].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(1));
        await accounts[0].FlushAsync(all: false, Cancellation);

        int admitted = 0;
        while ((await accounts[1].AdmitAsync(limits, Cancellation)).Refusal is null)
            admitted++;

        admitted.ShouldBe(96);
    }

    [Fact]
    public async Task Spend_AtOneEdge_RefusesAtTheOtherOnceToldAndNotInTheNextMinute()
    {
        UsageLimits limits = new() { TokensPerMinute = 100 };
        LimitAccount[] accounts = await StartAsync(2);
        (await accounts[1].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
        (await accounts[0].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
        accounts[0].Spend(100);

        (await accounts[0].AdmitAsync(limits, Cancellation)).Refusal!.Limit.ShouldBe("100 tokens per minute");
        await accounts[0].FlushAsync(all: true, Cancellation);
        _time.Advance(TimeSpan.FromSeconds(1));
        (await accounts[1].AdmitAsync(limits, Cancellation)).Refusal!.Limit.ShouldBe("100 tokens per minute");
        _time.Advance(TimeSpan.FromMinutes(1));
        (await accounts[1].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task OutOfTokens_SpentAtTheOtherEdge_OnceToldAndUntilTheNextMinute()
    {
        UsageLimits limits = new() { TokensPerMinute = 100, RequestsPerMinute = 0 };
        LimitAccount[] accounts = await StartAsync(2);
        (await accounts[1].OutOfTokensAsync(limits, Cancellation)).ShouldBeNull();
        accounts[0].Spend(100);

        (await accounts[0].OutOfTokensAsync(limits, Cancellation)).ShouldBe(new("100 tokens per minute", WindowCount.LeftOfMinute(_time.GetUtcNow())));
        _time.Advance(TimeSpan.FromSeconds(1));
        (await accounts[1].OutOfTokensAsync(limits, Cancellation)).ShouldNotBeNull();
        _time.Advance(TimeSpan.FromMinutes(1));
        (await accounts[1].OutOfTokensAsync(limits, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Leave_RequestAnswered_AnotherMayComeAtTheOtherEdgeOnceTold()
    {
        UsageLimits limits = new() { Concurrent = 1 };
        LimitAccount[] accounts = await StartAsync(2);
        (await accounts[0].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
        (await accounts[1].AdmitAsync(limits, Cancellation)).Refusal.ShouldNotBeNull();

        accounts[0].Leave();
        _time.Advance(TimeSpan.FromSeconds(1));
        await accounts[0].FlushAsync(all: false, Cancellation);

        (await accounts[1].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task Admit_EdgeThatDied_IsForgottenAfterAMinute()
    {
        UsageLimits limits = new() { Concurrent = 1 };
        LimitAccount[] accounts = await StartAsync(2);
        (await accounts[0].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();

        _time.Advance(TimeSpan.FromSeconds(61));

        (await accounts[1].AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
    }

    /// <summary>Whether the write arrived the edge does not know; it did.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Flush_AnswerIsLost_TokensAreSpentOnce(bool givesUp)
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        StorageAccount storage = new(relay.Through(azurite.ConnectionString));
        await storage.CreateContainersAsync(Cancellation);
        UseStore store = new(storage);
        using LimitAccount account = new($"key:{_id}", "edge", store, _time);
        using CancellationTokenSource cut = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        account.Spend(7);

        Task lost = relay.LoseAsync($"PUT /{storage.Blobs.AccountName}/{Containers.Keys}/limits/");
        Task flush = account.FlushAsync(all: true, cut.Token);
        await lost;
        if (givesUp)
        {
            await cut.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(flush);
        }
        else
        {
            await flush;
        }
        account.Spend(2);
        await account.FlushAsync(all: true, Cancellation);

        (await store.ReadAsync($"key:{_id}", Cancellation)).Use.DayTokens.In(WindowCount.DayOf(_time.GetUtcNow())).ShouldBe(9);
    }

    /// <summary>The write arrived, and before the edge could see that, another has written.</summary>
    [Fact]
    public async Task Admit_AnswerIsLostAndAnotherEdgeWritesNext_CountsOnce()
    {
        UsageLimits limits = new() { RequestsPerMinute = 60, TokensPerDay = 1000 };
        LimitAccount other = (await StartAsync(1))[0];
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        StorageAccount storage = new(relay.Through(azurite.ConnectionString));
        UseStore store = new(storage);
        using LimitAccount account = new($"key:{_id}", "edge", store, _time);
        (await account.AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();
        account.Spend(7);
        other.Spend(2);

        string limitsOf = $"/{storage.Blobs.AccountName}/{Containers.Keys}/limits/";
        Task lost = relay.LoseAsync($"PUT {limitsOf}");
        Task between = relay.BeforeAsync($"GET {limitsOf}", () => other.FlushAsync(all: true, Cancellation));
        Admission admission = await account.AdmitAsync(limits, Cancellation);

        lost.IsCompletedSuccessfully.ShouldBeTrue();
        await between;
        SharedUse use = (await store.ReadAsync($"key:{_id}", Cancellation)).Use;
        use.DayTokens.In(WindowCount.DayOf(_time.GetUtcNow())).ShouldBe(9);
        // One, and two in advance.
        use.RequestsLeft(limits, _time.GetUtcNow()).ShouldBe(57);
        admission.Requests!.Left.ShouldBe(58);
    }

    [Fact]
    public async Task Flush_AnswerIsLostAndItGivesUp_WhatWasTakenInAdvanceIsGivenBackOnce()
    {
        UsageLimits limits = new() { RequestsPerMinute = 60 };
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        StorageAccount storage = new(relay.Through(azurite.ConnectionString));
        await storage.CreateContainersAsync(Cancellation);
        UseStore store = new(storage);
        using LimitAccount account = new($"key:{_id}", "edge", store, _time);
        using CancellationTokenSource cut = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        for (int i = 0; i < 2; i++)
            (await account.AdmitAsync(limits, Cancellation)).Refusal.ShouldBeNull();

        Task lost = relay.LoseAsync($"PUT /{storage.Blobs.AccountName}/{Containers.Keys}/limits/");
        Task flush = account.FlushAsync(all: true, cut.Token);
        await lost;
        await cut.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(flush);
        await account.FlushAsync(all: true, Cancellation);

        (await store.ReadAsync($"key:{_id}", Cancellation)).Use.RequestsLeft(limits, _time.GetUtcNow()).ShouldBe(58);
    }

    public void Dispose() => _listener?.Dispose();

    private async Task<LimitAccount[]> StartAsync(int edges)
    {
        StorageAccount storage = new(azurite.ConnectionString);
        await storage.CreateContainersAsync(Cancellation);
        _listener = new()
        {
            ShouldListenTo = source => source.Name == "System.Net.Http",
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("url.full") is string url && url.Contains(_id, StringComparison.Ordinal))
                    _operations.Enqueue($"{activity.GetTagItem("http.request.method")} {activity.GetTagItem("http.response.status_code")}");
            },
        };
        ActivitySource.AddActivityListener(_listener);
        return [.. Enumerable.Range(0, edges).Select(edge => new LimitAccount($"key:{_id}", $"edge-{edge}", new UseStore(storage), _time))];
    }
}

using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Jobs;

/// <summary>Bounds of background jobs beside many that have ended: how often storage is listed, and what is decided by meanwhile.</summary>
public sealed class BackgroundBacklogTests : IAsyncDisposable
{
    private const string Tenant = "tenant";

    private static readonly RecordPolicy Policy = new();
    private static readonly TimeSpan ListingTakes = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ListingIsUsable = 4 * ListingTakes;

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly HoldingRelay _relay;
    private readonly StorageAccount _account;
    private readonly JobRecordStore _store;
    private readonly BackgroundOptions _options = new();
    private readonly TenantOptions _tenants = new();
    private readonly ActiveJobs _active;
    private readonly BackgroundBacklog _backlog;

    public BackgroundBacklogTests(AzuriteFixture azurite)
    {
        int port = azurite.Process.Endpoints.BlobPort;
        _relay = new HoldingRelay(port);
        _account = new StorageAccount(azurite.NewAccount().Replace($":{port}/", $":{_relay.Port}/", StringComparison.Ordinal));
        _store = new(_account, ContentKeys.None);
        _active = new(Options.Create(_options));
        _backlog = new(new UnderWayListings(_store, _time), _active, Options.Create(_options), Options.Create(_tenants), _time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private long Lists => _account.Operations.Lists;

    [Fact]
    public async Task TakeIn_CallersGiveUp_TheListingIsForThoseWhoComeLater()
    {
        await StoreEndedAsync(40);
        _relay.Hold();
        using CancellationTokenSource patience = new();
        Task<JobError?>[] impatient = [.. Enumerable.Range(0, 64).Select(_ => _backlog.TakeInAsync(NewJob(), patience.Token))];

        _time.Advance(ListingTakes);
        await patience.CancelAsync();
        foreach (Task<JobError?> one in impatient)
            await Should.ThrowAsync<OperationCanceledException>(() => one);
        Task<JobError?> patient = _backlog.TakeInAsync(NewJob(), Cancellation);
        _relay.Release();

        (await patient).ShouldBeNull();
        Lists.ShouldBe(1);
    }

    [Fact]
    public async Task TakeIn_ListingTookLong_IsDoneByItForLongerAndWhileTheNextIsOnItsWay()
    {
        _options.MaxBacklog = 2;
        await StoreEndedAsync(40);
        await ListAsync();
        _time.Advance(ListingIsUsable - TimeSpan.FromSeconds(1));
        (await _backlog.TakeInAsync(NewJob(), Cancellation)).ShouldBeNull();
        Lists.ShouldBe(1);

        _relay.Hold();
        _time.Advance(TimeSpan.FromSeconds(1));
        (await _backlog.TakeInAsync(NewJob(), Cancellation)).ShouldBeNull();
        JobError refusal = (await _backlog.TakeInAsync(NewJob(), Cancellation)).ShouldNotBeNull();
        _relay.Release();

        refusal.Kind.ShouldBe(JobErrorKind.Busy);
        Lists.ShouldBe(2);
    }

    [Fact]
    public async Task TakeIn_LastListingIsFarTooOld_WaitsForTheNext()
    {
        _options.MaxBacklog = 1;
        await ListAsync();
        await StoreAsync(NewJob());
        _relay.Hold();
        _time.Advance(2 * ListingIsUsable);

        Task<JobError?> asked = _backlog.TakeInAsync(NewJob(), Cancellation);
        asked.IsCompleted.ShouldBeFalse();
        _relay.Release();

        (await asked).ShouldNotBeNull().Kind.ShouldBe(JobErrorKind.Busy);
    }

    [Fact]
    public async Task TakeIn_StorageFallsSilent_IsTriedAgainByWhoAsksNext()
    {
        _relay.Hold();
        Task<JobError?> first = _backlog.TakeInAsync(NewJob(), Cancellation);
        _time.Advance(TimeSpan.FromSeconds(10));
        await Should.ThrowAsync<Azure.RequestFailedException>(() => first);
        _relay.Release();
        await _account.CreateContainersAsync(Cancellation);

        (await _backlog.TakeInAsync(NewJob(), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task HoldBack_OneIsSeenToEndHere_MakesRoomWithoutAListing()
    {
        _tenants.Limits[Tenant] = new TenantLimits { MaxInFlight = 1 };
        await ListAsync();
        JobRecord first = Record(NewJob()), second = Record(NewJob());
        (await _backlog.HoldBackAsync(first, Cancellation)).ShouldBeNull();
        (await _backlog.HoldBackAsync(second, Cancellation)).ShouldNotBeNull();

        _active.Remove(first.Id);

        (await _backlog.HoldBackAsync(second, Cancellation)).ShouldBeNull();
        Lists.ShouldBe(1);
    }

    /// <summary>Of two branches that a worker claims one right after the other, the second went to it as well.</summary>
    [Fact]
    public async Task HoldBack_ListingIsMadeBeforeARecordSaysThatItRuns_CountsItAllTheSame()
    {
        _tenants.Limits[Tenant] = new TenantLimits { MaxInFlight = 1 };
        await ListAsync(takes: TimeSpan.Zero);
        Job first = NewJob();
        await StoreAsync(first);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        (await _backlog.HoldBackAsync(Record(first), Cancellation)).ShouldBeNull();

        // Far too old: the next one is waited for.
        _time.Advance(TimeSpan.FromSeconds(1.6));

        (await _backlog.HoldBackAsync(Record(NewJob()), Cancellation)).ShouldNotBeNull();
        Lists.ShouldBe(2);
    }

    [Fact]
    public async Task TakeIn_WhileAListingIsOnItsWay_IsCountedAfterIt()
    {
        _options.MaxBacklog = 2;
        await ListAsync(takes: TimeSpan.Zero);
        _relay.Hold();
        _time.Advance(TimeSpan.FromSeconds(1));
        // Begins the listing, which the job's record is too late for.
        (await _backlog.TakeInAsync(NewJob(), Cancellation)).ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(1));
        Task<JobError?> second = _backlog.TakeInAsync(NewJob(), Cancellation);
        second.IsCompleted.ShouldBeFalse();
        _relay.Release();

        (await second).ShouldBeNull();
        (await _backlog.TakeInAsync(NewJob(), Cancellation)).ShouldNotBeNull();
    }

    public async ValueTask DisposeAsync()
    {
        _backlog.Dispose();
        await _relay.DisposeAsync();
    }

    /// <summary>Has a first listing made.</summary>
    /// <param name="takes">How long; null: very.</param>
    private async Task ListAsync(TimeSpan? takes = null)
    {
        await _account.CreateContainersAsync(Cancellation);
        _relay.Hold();
        Task<JobError?> first = _backlog.TakeInAsync(NewJob(model: "sha256:another"), Cancellation);
        _time.Advance(takes ?? ListingTakes);
        _relay.Release();
        await first;
    }

    private async Task StoreEndedAsync(int count)
    {
        await _account.CreateContainersAsync(Cancellation);
        for (int i = 0; i < count; i++)
            await StoreAsync(NewJob(), new RecordCommand.Cancel(_time.GetUtcNow()));
    }

    private async Task StoreAsync(Job job, RecordCommand? command = null)
    {
        JobRecord record = Record(job);
        if (command is not null)
            record = record.Apply(command, Policy);
        await _store.CreateAsync(record, record.DueAt(Policy), Cancellation);
    }

    private JobRecord Record(Job job) => JobRecord.Create(job, RequestShape.Chat, "demo", _time.GetUtcNow());

    private Job NewJob(string model = "sha256:a") => new()
    {
        Id = JobId.New(_time),
        RequestId = "r",
        Tenant = Tenant,
        Model = model,
        Prompt = "hi",
        Options = new InferenceOptions(),
        Seed = 0,
        Deadline = TimeSpan.FromMinutes(10),
    };
}

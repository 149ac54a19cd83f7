using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Jobs;

/// <summary>What one edge makes of jobs that others have a hand in as well.</summary>
public sealed class JobTendingTests : IAsyncLifetime
{
    private static readonly string Model = $"sha256:{new string('a', 64)}";
    private static readonly RecordPolicy Policy = new();

    private readonly StorageAccount _account;
    private readonly ServiceProvider _services;

    public JobTendingTests(AzuriteFixture azurite)
    {
        _account = new StorageAccount(azurite.NewAccount());
        _services = WholeEdge.Services(_account);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ActiveJobs Active => _services.GetRequiredService<ActiveJobs>();

    private JobRecords Records => _services.GetRequiredService<JobRecords>();

    private JobRecordStore Store => _services.GetRequiredService<JobRecordStore>();

    private JobTending Tending => _services.GetRequiredService<JobTending>();

    private QueueClient Completions => _account.Queues.GetQueueClient(CompletionQueue.Name);

    public async ValueTask InitializeAsync() => await _account.CreateContainersAsync(Cancellation);

    [Fact]
    public async Task Tend_EndWrittenByAnotherEdge_IsForgotten()
    {
        string id = await CreateAsync();
        await EndElsewhereAsync(id);

        await Records.TendAsync(id, Cancellation);

        Active.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task Tend_DeletedByAnotherEdge_IsForgotten()
    {
        string id = await CreateAsync();
        await Store.DeleteAsync(id, Cancellation);

        (await Records.TendAsync(id, Cancellation)).ShouldBeNull();

        Active.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task ForgetEnded_SomeEndedElsewhere_KnowsTheOthersStill()
    {
        string running = await CreateAsync(), ended = await CreateAsync(), deleted = await CreateAsync();
        await EndElsewhereAsync(ended);
        await Store.DeleteAsync(deleted, Cancellation);

        await Tending.ForgetEndedAsync(Cancellation);

        Active.Ids.ShouldBe([running]);
    }

    [Fact]
    public void Add_WhereAQueueTriggerTakesCompletions_IsNotKept()
    {
        ActiveJobs active = new(Options.Create(new BackgroundOptions { TakesCompletions = false }));

        active.Add("a", Model);

        active.IsEmpty.ShouldBeTrue();
    }

    /// <summary>One that nobody has claimed yet has its message still; another at each look would be in everybody's way.</summary>
    [Fact]
    public async Task Sweep_JobsThatWaitLong_PutsAsManyMessagesAsAreMissing()
    {
        JobQueues queues = new(_account, TimeProvider.System);
        for (int job = 0; job < 3; job++)
        {
            string id = await CreateAsync(before: TimeSpan.FromHours(1), deadline: TimeSpan.FromDays(1));
            if (job > 0)
                await queues.EnqueueAsync(new QueuedJob(ProtocolVersion.Current, id, Model, Band.Batch, Reply: null), TimeSpan.FromSeconds(-1), Cancellation);
        }

        await Tending.SweepAsync(Cancellation);

        (await queues.CountAsync(Model, Band.Batch, Cancellation)).ShouldBe(3);
    }

    [Fact]
    public async Task Sweep_OneRecordIsDamaged_LooksAfterTheOthers()
    {
        string broken = await CreateAsync(before: TimeSpan.FromDays(1)), late = await CreateAsync(before: TimeSpan.FromDays(1));
        await DamageAsync(broken, """{"status":"of a later version"}""");

        await Tending.SweepAsync(Cancellation);

        (await Store.FindAsync(late, Cancellation)).ShouldNotBeNull().Record.Status.ShouldBe(RecordStatus.Failed);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{")]
    public async Task TakeCompletions_OneOfABrokenRecord_HoldsNobodyUp(string content)
    {
        string broken = await CreateAsync();
        await DamageAsync(broken, content);
        string[] late = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => CreateAsync(before: TimeSpan.FromDays(1))));
        await Completions.CreateAsync(cancellationToken: Cancellation);
        foreach (string id in (string[])[broken, .. late])
            await CompletionQueue.AddAsync(Completions, new JobCompletion(id, 1), Cancellation);

        await Tending.TakeCompletionsAsync(Cancellation);

        foreach (string id in late)
            (await Store.FindAsync(id, Cancellation)).ShouldNotBeNull().Record.Status.ShouldBe(RecordStatus.Failed);
        // It comes again.
        (await Completions.GetPropertiesAsync(Cancellation)).Value.ApproximateMessagesCount.ShouldBe(1);
    }

    public async ValueTask DisposeAsync() => await _services.DisposeAsync();

    private async Task EndElsewhereAsync(string id)
    {
        StoredRecord found = (await Store.FindAsync(id, Cancellation)).ShouldNotBeNull();
        JobRecord ended = found.Record.Apply(new RecordCommand.Cancel(found.Record.CreatedAt), Policy);
        (await Store.ReplaceAsync(found, ended, ended.DueAt(Policy), Cancellation)).ShouldNotBeNull();
    }

    /// <summary>What a list needs stands beside it, as before.</summary>
    private async Task DamageAsync(string id, string content)
    {
        BlobClient record = _account.Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobClient($"records/{id}");
        BlobProperties before = await record.GetPropertiesAsync(cancellationToken: Cancellation);
        await record.UploadAsync(new BinaryData(content), new BlobUploadOptions { Metadata = before.Metadata }, Cancellation);
    }

    /// <summary>A job that waits, and that this edge knows of.</summary>
    /// <param name="before">So long ago; null: now.</param>
    /// <param name="deadline">From then on; null: ten minutes.</param>
    private async Task<string> CreateAsync(TimeSpan? before = null, TimeSpan? deadline = null)
    {
        Job job = new()
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "r",
            Tenant = "tenant",
            Model = Model,
            Prompt = "hi",
            Options = new InferenceOptions(),
            Seed = 0,
            Deadline = deadline ?? TimeSpan.FromMinutes(10),
        };
        JobRecord record = JobRecord.Create(job, RequestShape.Chat, "demo", TimeProvider.System.GetUtcNow() - (before ?? TimeSpan.Zero));
        await Records.CreateAsync(record, Cancellation);
        Active.Add(record.Id, record.Model);
        return record.Id;
    }
}

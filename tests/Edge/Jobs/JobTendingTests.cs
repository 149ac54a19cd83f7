using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Streaming;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Jobs;

/// <summary>What one edge makes of jobs that others have a hand in as well.</summary>
public sealed class JobTendingTests : IAsyncLifetime
{
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

        active.Add("a", "sha256:a");

        active.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task TakeCompletions_OneOfABrokenRecord_HoldsNobodyUp()
    {
        string broken = await CreateAsync();
        await _account.Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobClient($"records/{broken}").UploadAsync(new BinaryData("null"), overwrite: true, Cancellation);
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

    /// <summary>A job that waits, and that this edge knows of.</summary>
    /// <param name="before">So long ago; null: now.</param>
    private async Task<string> CreateAsync(TimeSpan? before = null)
    {
        Job job = new()
        {
            Id = JobId.New(TimeProvider.System),
            RequestId = "r",
            Tenant = "tenant",
            Model = "sha256:a",
            Prompt = "hi",
            Options = new InferenceOptions(),
            Seed = 0,
            Deadline = TimeSpan.FromMinutes(10),
        };
        JobRecord record = JobRecord.Create(job, RequestShape.Chat, "demo", TimeProvider.System.GetUtcNow() - (before ?? TimeSpan.Zero));
        await Records.CreateAsync(record, Cancellation);
        Active.Add(record.Id, record.Model);
        return record.Id;
    }
}

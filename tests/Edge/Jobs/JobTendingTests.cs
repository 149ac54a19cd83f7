using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
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

    private QueueClient Queue => _account.Queues.GetQueueClient(JobQueueName.For(WaitingJob.Model, Band.Batch));

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

        active.Add("a", WaitingJob.Model);

        active.IsEmpty.ShouldBeTrue();
    }

    /// <summary>One that nobody has claimed yet has its message still; another at each look would be in everybody's way.</summary>
    [Fact]
    public async Task Sweep_JobsThatWaitLong_PutsAsManyMessagesAsAreMissing()
    {
        for (int job = 0; job < 3; job++)
        {
            string id = await CreateAsync(before: TimeSpan.FromHours(1), deadline: TimeSpan.FromDays(1));
            if (job > 0)
                await EnqueueAsync(id);
        }

        await Tending.SweepAsync(Cancellation);

        (await MessagesAsync()).Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task TakeOver_OneMessageOfTwoIsMissing_PutsTheOneThatIs(int missing)
    {
        string[] jobs = [await CreateAsync(), await CreateAsync(deadline: TimeSpan.FromHours(1))];
        await EnqueueAsync(jobs[1 - missing]);

        await Tending.TakeOverAsync(TimeSpan.Zero, Cancellation);

        (await MessagesAsync()).ShouldContain(jobs[missing]);
    }

    /// <summary>A message that a worker could not delete counts as the one that is missing, until the worker comes across it.</summary>
    [Fact]
    public async Task TakeOver_AMessageIsOfAJobThatHasEnded_PutsTheMissingOneWhenThatIsGone()
    {
        string waiting = await CreateAsync(), ended = await CreateAsync();
        await EndElsewhereAsync(ended);
        await EnqueueAsync(ended);
        await Tending.TakeOverAsync(TimeSpan.Zero, Cancellation);
        (await MessagesAsync()).ShouldBe([ended]);

        // As a worker does that is not granted it.
        await ClearMessagesAsync();
        await Tending.TakeOverAsync(TimeSpan.FromSeconds(45), Cancellation);

        (await MessagesAsync()).ShouldBe([waiting]);
    }

    [Fact]
    public async Task End_OfABranch_IsAnnouncedByWhoeverWritesIt()
    {
        string branch = await CreateAsync(strategy: "s"), other = await CreateAsync();

        await Records.ApplyAsync(branch, at => new RecordCommand.Cancel(at), Cancellation);
        await Records.ApplyAsync(other, at => new RecordCommand.Cancel(at), Cancellation);

        PeekedMessage[] announced = await Completions.PeekMessagesAsync(32, Cancellation);
        JsonSerializer.Deserialize(announced.ShouldHaveSingleItem().MessageText, ProtocolJson.Default.JobCompletion)!.JobId.ShouldBe(branch);
    }

    [Fact]
    public async Task End_OfABranchThatAWorkerHasAnnounced_IsNotAnnouncedAgain()
    {
        string branch = await CreateAsync(before: TimeSpan.FromDays(1), strategy: "s");
        await Completions.CreateAsync(cancellationToken: Cancellation);
        await CompletionQueue.AddAsync(Completions, new JobCompletion(branch, 1), Cancellation);

        await Tending.TakeCompletionsAsync(Cancellation);

        (await Store.FindAsync(branch, Cancellation)).ShouldNotBeNull().Record.Status.ShouldBe(RecordStatus.Failed);
        (await Completions.GetPropertiesAsync(Cancellation)).Value.ApproximateMessagesCount.ShouldBe(0);
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

    private async Task EnqueueAsync(string id) =>
        await new JobQueues(_account, TimeProvider.System).EnqueueAsync(new QueuedJob(ProtocolVersion.Current, id, WaitingJob.Model, Band.Batch, Reply: null), TimeSpan.FromSeconds(-1), Cancellation);

    /// <summary>The jobs whose messages wait.</summary>
    private async Task<List<string>> MessagesAsync()
    {
        if (!await Queue.ExistsAsync(Cancellation))
            return [];
        PeekedMessage[] messages = await Queue.PeekMessagesAsync(32, Cancellation);
        return [.. messages.Select(message => JsonSerializer.Deserialize(message.MessageText, ProtocolJson.Default.QueuedJob)!.JobId)];
    }

    private async Task ClearMessagesAsync() => await Queue.ClearMessagesAsync(Cancellation);

    /// <summary>A job that waits, and that this edge knows of.</summary>
    /// <param name="before">So long ago; null: now.</param>
    /// <param name="deadline">From then on; null: ten minutes.</param>
    /// <param name="strategy">What it is a branch of; null: nothing.</param>
    private async Task<string> CreateAsync(TimeSpan? before = null, TimeSpan? deadline = null, string? strategy = null)
    {
        JobRecord record = WaitingJob.New(before, deadline) with { StrategyId = strategy };
        await Records.CreateAsync(record, Cancellation);
        Active.Add(record.Id, record.Model);
        return record.Id;
    }
}

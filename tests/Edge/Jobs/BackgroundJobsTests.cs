using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Jobs;

/// <summary>Jobs that come in the moment when storage goes away.</summary>
public sealed class BackgroundJobsTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly string _connection = azurite.NewAccount();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private StorageAccount Account => field ??= new(_connection);

    private JobRecordStore Store => field ??= new(Account, OllamaMax.Security.ContentKeys.None);

    public async ValueTask InitializeAsync() => await Account.CreateContainersAsync(Cancellation);

    [Fact]
    public Task Submit_QueueDoesNotAnswer_IsQueuedWhenItDoes() => QueueDoesNotAnswerAsync(async (jobs, patience) =>
    {
        JobRecord record = WaitingJob.New();
        await jobs.SubmitAsync(record, patience);
        return record.Id;
    });

    /// <summary>Tried again, it would be refused: it is queued, by what its record says.</summary>
    [Fact]
    public Task Requeue_QueueDoesNotAnswer_IsQueuedWhenItDoes() => QueueDoesNotAnswerAsync(async (jobs, patience) =>
    {
        JobRecord failed = WaitingJob.New() with { Status = RecordStatus.Failed, EndedAt = TimeProvider.System.GetUtcNow(), ContentExpiresAt = Later, ExpiresAt = Later };
        await Store.CreateAsync(failed, Later, Cancellation);
        (await jobs.RequeueAsync(failed.Id, patience)).ShouldNotBeNull().Status.ShouldBe(RecordStatus.Queued);
        return failed.Id;
    });

    /// <summary>Its client is refused, and submits it again: both would run.</summary>
    [Fact]
    public async Task Submit_StorageHasTakenItAndDoesNotSaySo_IsTakenBack()
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.BlobPort);
        await using ServiceProvider services = WholeEdge.Services(new StorageAccount(relay.Through(_connection)));
        using CancellationTokenSource patience = new();
        JobRecord record = WaitingJob.New();
        Task lost = relay.LoseAsync($"PUT /{Account.Blobs.AccountName}/{Containers.Jobs}/records/{record.Id}");

        Task<JobRecord> submitted = services.GetRequiredService<BackgroundJobs>().SubmitAsync(record, patience.Token);
        await lost;
        await patience.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(submitted);
        (await Store.FindAsync(record.Id, Cancellation)).ShouldNotBeNull();
        await UntilAsync(async () => await Store.FindAsync(record.Id, Cancellation) is null);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static DateTimeOffset Later => TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(1);

    /// <param name="act">Has a job queued, with a patience that ends before its message is put; answers its id.</param>
    private async Task QueueDoesNotAnswerAsync(Func<BackgroundJobs, CancellationToken, Task<string>> act)
    {
        await using MeddlingRelay relay = new(azurite.Process.Endpoints.QueuePort);
        await using ServiceProvider services = WholeEdge.Services(new StorageAccount(relay.Through(_connection)));
        using CancellationTokenSource patience = new();
        TaskCompletionSource answers = new();
        Task silent = relay.BeforeAsync($"POST /{Account.Queues.AccountName}/", async () =>
        {
            await patience.CancelAsync();
            await answers.Task;
        });
        try
        {
            string id = await act(services.GetRequiredService<BackgroundJobs>(), patience.Token);

            QueueClient queue = Account.Queues.GetQueueClient(JobQueueName.For(WaitingJob.Model, Band.Batch));
            PeekedMessage[] messages = [];
            await UntilAsync(async () => await queue.ExistsAsync(Cancellation) && (messages = await queue.PeekMessagesAsync(32, Cancellation)).Length > 0);
            messages.ShouldHaveSingleItem().MessageText.ShouldContain(id);
        }
        finally
        {
            answers.SetResult();
            await silent;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using PeriodicTimer again = new(TimeSpan.FromMilliseconds(100));
        while (!await isSo())
            await again.WaitForNextTickAsync(Cancellation);
    }
}

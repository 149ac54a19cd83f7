using System.Text;
using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Background;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>A worker that took a job's message, stood still until that showed again, and wakes when another one runs the job.</summary>
public sealed class LostHoldTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MessageTakenByAnother_TheJobIsLeftToIt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();
        WatchedTimeProvider time = new();
        time.SetUtcNow(TimeProvider.System.GetUtcNow());
        QueueClient queue = new StorageAccount(cluster.Storage).Queues.GetQueueClient(JobQueueName.For((await cluster.RecordAsync(id)).Model, Band.Batch));
        QueueMessage message = (await queue.ReceiveMessageAsync(TimeSpan.FromSeconds(1), Cancellation)).Value;
        QueueHold hold = new(queue, message, time);
        TaskCompletionSource gate = new();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) });
        await cluster.Client.ShowWhenAsync(id, "running");
        TestWorker woken = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), time);
        time.Advance(TimeSpan.FromMinutes(1));

        woken.Services.GetRequiredService<SlotGate>().TryTake().ShouldBeTrue();
        BackgroundRunner runs = woken.Services.GetRequiredService<BackgroundRunner>();
        runs.Take(JsonSerializer.Deserialize(message.MessageText, ProtocolJson.Default.QueuedJob)!, hold);
        await runs.WaitUntilWrittenAsync(Timeout.InfiniteTimeSpan);

        JobRecord record = await cluster.RecordAsync(id);
        gate.SetResult();
        (record.Status, record.Attempts).ShouldBe((RecordStatus.Running, 1));
        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        job.GetProperty("failed_attempts").GetArrayLength().ShouldBe(0);
        woken.Services.GetRequiredService<SlotGate>().Used.ShouldBe(0);
    }

    /// <summary>The one that was taken for lost has come to the answer's end when the next one, granted before, looks: nothing is left to run.</summary>
    [Fact]
    public async Task AnswerEndsBetweenTheGrantAndItsBegin_IsTheJobsAndNothingRuns()
    {
        AzuriteFixture azurite = (await TestContext.Current.GetFixture<AzuriteFixture>())!;
        int port = azurite.Process.Endpoints.BlobPort;
        await using MeddlingRelay relay = new(port);
        await using JobCluster cluster = await JobCluster.StartAsync(azurite: azurite, relay: relay);
        string id = await cluster.Client.SubmitAsync();
        string model = (await cluster.RecordAsync(id)).Model;
        StorageAccount account = new(cluster.Storage.Replace($":{relay.Port}/", $":{port}/", StringComparison.Ordinal));
        JobOutputBlob output = new JobRecordStore(account, ContentKeys.None).Output(id);
        QueueClient queue = account.Queues.GetQueueClient(JobQueueName.For(model, Band.Batch));
        QueueMessage message = (await queue.ReceiveMessageAsync(TimeSpan.FromMinutes(1), Cancellation)).Value;
        ScriptedEngine engine = new(slots: 1);
        TestWorker worker = await cluster.AddWorkerAsync(engine);
        WorkerIdentity identity = worker.Services.GetRequiredService<WorkerIdentity>();
        JobClaimAnswer lost = await worker.Services.GetRequiredService<EdgeClient>()
            .ClaimAsync(identity, id, new(ProtocolVersion.Current, identity.Id!, "lost", message.MessageId), Cancellation);
        (await output.BeginAsync(lost.Grant!.Grant.Attempt, Cancellation)).ShouldNotBeNull();
        AttemptStart start = new(PromptTokens: 1, CachedTokens: 0, LoadDuration: default, PromptDuration: default);
        await output.AppendAsync(1, new Chunk(0, [0, 1, 2, 3, 4], [2, 2, 2, 2, 2], Encoding.UTF8.GetBytes(ScriptedEngine.Answer(5))) { Start = start }, Cancellation);
        // The worker alone reads by a signed address, once it is granted.
        Task ended = relay.BeforeAsync(
            $"GET /{account.Blobs.AccountName}/jobs/output/{id}?",
            () => output.AppendAsync(1, new Chunk(5, [], [], []) { End = new AttemptEnd { Reason = EndReason.Stop } }, Cancellation));

        worker.Services.GetRequiredService<SlotGate>().TryTake().ShouldBeTrue();
        BackgroundRunner runs = worker.Services.GetRequiredService<BackgroundRunner>();
        runs.Take(JsonSerializer.Deserialize(message.MessageText, ProtocolJson.Default.QueuedJob)!, new QueueHold(queue, message, TimeProvider.System));
        await runs.WaitUntilWrittenAsync(Timeout.InfiniteTimeSpan);
        await ended;

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(5));
        job.GetProperty("attempts").GetInt32().ShouldBe(2);
        engine.Steps.ShouldBe(0);
        await cluster.WaitForMessagesAsync(model, 0);
    }

    /// <summary>It had begun, and comes to renew its signatures when another one was granted the next attempt by the same message.</summary>
    /// <param name="isKnown">Whether the record says what claim the lost attempt was granted to; an edge of an older version does not write that.</param>
    /// <param name="attempts">Attempts that are issued in the end.</param>
    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    public async Task WokenToRenew_LeavesTheJob(bool isKnown, int attempts)
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        // An edge takes tokens of a worker whose clock is wrong by up to five minutes: behind at first, then ahead.
        WatchedTimeProvider time = new();
        time.SetUtcNow(TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(4));
        TaskCompletionSource gate = new();
        TestWorker woken = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) }, time);
        string id = await cluster.Client.SubmitAsync();
        await foreach (JsonElement line in cluster.Client.StreamAsync(id, 0, Cancellation))
        {
            if (line.GetProperty("offset").GetInt32() > 0)
                break;
        }
        WorkerIdentity identity = woken.Services.GetRequiredService<WorkerIdentity>();
        JobClaimAnswer next = await woken.Services.GetRequiredService<EdgeClient>()
            .ClaimAsync(identity, id, new(ProtocolVersion.Current, identity.Id!, "next", (await cluster.RecordAsync(id)).MessageId!), Cancellation);
        next.Grant!.Grant.Attempt.Number.ShouldBe(2);
        StoredRecord stored = (await cluster.Store.FindAsync(id, Cancellation)).ShouldNotBeNull();
        if (!isKnown)
            await cluster.Store.ReplaceAsync(stored, stored.Record with { History = [.. stored.Record.History.Select(past => past with { ClaimId = null })] }, stored.Record.Deadline, Cancellation);

        Task left = woken.Services.GetRequiredService<BackgroundRunner>().WaitUntilWrittenAsync(Timeout.InfiniteTimeSpan);
        time.Advance(JobQueues.SignatureLifetime / 2);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!left.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(0.5));
            await timer.WaitForNextTickAsync(Cancellation);
        }

        JobRecord record = await cluster.RecordAsync(id);
        (record.Attempts, record.ClaimId == "next").ShouldBe((attempts, isKnown));
    }
}

using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Background;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage;
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
}

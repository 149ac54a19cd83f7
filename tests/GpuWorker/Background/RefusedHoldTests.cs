using System.Text.Json;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Azure.Storage.Sas;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Background;
using OllamaMax.Jobs;
using OllamaMax.Storage;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;
using OllamaMax.Workers.Attempts;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>A worker that holds a job's message by an address which storage refuses: the time of its signature is over.</summary>
public sealed class RefusedHoldTests
{
    private readonly WatchedTimeProvider _worker = new();
    private readonly ShiftedTime _queues = new();
    private readonly TaskCompletionSource _gate = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddressItWasTakenBy_HeldByTheGrants()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();
        string model = (await cluster.RecordAsync(id)).Model;
        QueueClient queue = new StorageAccount(cluster.Storage).Queues.GetQueueClient(JobQueueName.For(model, Band.Batch));
        QueueMessage message = (await queue.ReceiveMessageAsync(TimeSpan.FromMinutes(1), Cancellation)).Value;
        QueueClient refused = new(queue.GenerateSasUri(QueueSasPermissions.Process | QueueSasPermissions.Update, TimeProvider.System.GetUtcNow().AddMinutes(-1)));
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        worker.Services.GetRequiredService<SlotGate>().TryTake().ShouldBeTrue();
        BackgroundRunner runs = worker.Services.GetRequiredService<BackgroundRunner>();
        runs.Take(JsonSerializer.Deserialize(message.MessageText, ProtocolJson.Default.QueuedJob)!, new QueueHold(refused, message, TimeProvider.System));
        await runs.WaitUntilWrittenAsync(Timeout.InfiniteTimeSpan);

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
        await cluster.WaitForMessagesAsync(model, 0);
    }

    [Fact]
    public async Task AddressOfARenewal_TheOutputIsWrittenAllTheSame()
    {
        using LogLines logs = new();
        await using JobCluster cluster = await StartAsync(logs);
        string id = await RunUntilRefusedAsync(cluster, logs);

        _gate.SetResult();

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task AddressOfARenewal_AnotherIsAskedForSoon()
    {
        using LogLines logs = new();
        await using JobCluster cluster = await StartAsync(logs);
        string id = await RunUntilRefusedAsync(cluster, logs);
        _queues.Shift = TimeSpan.Zero;

        Task third = ClaimAsync(logs, 3);
        // Far below half of what signatures last.
        await PassTimeAsync(third, TimeSpan.FromMinutes(1));

        third.IsCompletedSuccessfully.ShouldBeTrue();
        _gate.SetResult();
        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    private Task<JobCluster> StartAsync(LogLines logs) =>
        JobCluster.StartAsync(
            // The decoder waits at the gate while time passes, and is not to be taken for hanging.
            options => options.StallTimeout = TimeSpan.FromMinutes(10),
            logs,
            edge => edge.AddSingleton(services => new JobQueues(services.GetRequiredService<StorageAccount>(), _queues)));

    /// <summary>A job is half done, and its worker has renewed its signatures, and was given an address of its queue that is refused.</summary>
    private async Task<string> RunUntilRefusedAsync(JobCluster cluster, LogLines logs)
    {
        // An edge takes tokens of a worker whose clock is wrong by up to five minutes: behind at first, then ahead.
        _worker.SetUtcNow(TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(4));
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : _gate.Task.WaitAsync(stop) }, _worker);
        string id = await cluster.Client.SubmitAsync();
        await foreach (JsonElement line in cluster.Client.StreamAsync(id, 0, Cancellation))
        {
            if (line.GetProperty("offset").GetInt32() > 0)
                break;
        }
        _queues.Shift = TimeSpan.FromDays(-1);
        _worker.Advance(JobQueues.SignatureLifetime / 2);
        await PassTimeAsync(ClaimAsync(logs, 2), TimeSpan.MaxValue);
        await PassTimeAsync(logs.WaitForAsync($"Storage failed for background job {id}", Cancellation), TimeSpan.MaxValue);
        return id;
    }

    /// <summary>Lets the worker's time pass until then, or until it was so much.</summary>
    private async Task PassTimeAsync(Task until, TimeSpan atMost)
    {
        TimeSpan step = TimeSpan.FromSeconds(0.5);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (TimeSpan passed = TimeSpan.Zero; !until.IsCompleted && passed < atMost; passed += step)
        {
            _worker.Advance(step);
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    private static Task ClaimAsync(LogLines logs, int number)
    {
        int claims = 0;
        return logs.WaitForAsync(line => line.Contains("attempt 1 goes to worker", StringComparison.Ordinal) && ++claims == number, Cancellation);
    }

    /// <summary>The system's clock, off by so much.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Shift;
    }
}

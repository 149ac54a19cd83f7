using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>Background jobs while workers, edges and messages come to grief.</summary>
public sealed class SurvivalTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Edge_KilledBetweenRecordAndMessage_TheNextOnePutsIt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();
        await cluster.ClearQueueAsync((await cluster.RecordAsync(id)).Model);

        await cluster.RestartEdgeAsync();

        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        var (text, _) = await cluster.Client.ReadAsync(id);
        text.ShouldBe(ScriptedEngine.Answer(20));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k1")]
    public async Task Worker_Hangs_AnotherGoesOnAndTheOldOneIsRefusedWhenItWakes(string? contentKey)
    {
        using LogLines logs = new();
        await using JobCluster cluster = await JobCluster.StartAsync(logs: logs, keys: contentKey is null ? null : ContentKeyTexts.Of(contentKey), configure: options =>
        {
            options.Lease = TimeSpan.FromSeconds(2);
            options.StallTimeout = TimeSpan.FromSeconds(1);
        });
        var hanging = new TaskCompletionSource();
        var wake = new TaskCompletionSource();
        var first = new ScriptedEngine(slots: 1)
        {
            // Hears of no cancellation, as a native call that does not return.
            BeforeToken = (index, _) =>
            {
                if (index < 10)
                    return Task.CompletedTask;
                hanging.TrySetResult();
                return wake.Task;
            },
        };
        await cluster.AddWorkerAsync(first);
        string id = await cluster.Client.SubmitAsync();
        await hanging.Task.WaitAsync(Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        var (text, last) = await cluster.Client.ReadAsync(id);
        wake.SetResult();
        await logs.WaitForAsync("this one stops", Cancellation);

        text.ShouldBe(ScriptedEngine.Answer(20));
        last.GetProperty("attempts").GetInt32().ShouldBe(2);
        JsonElement job = await cluster.Client.ShowAsync(id);
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        JsonElement failed = job.GetProperty("failed_attempts").EnumerateArray().ShouldHaveSingleItem();
        failed.GetProperty("outcome").GetString().ShouldBe("lost");
        failed.GetProperty("tokens").GetInt32().ShouldBe(10);
        JobOutputBlob output = cluster.Store.Output(id);
        await output.ReadAsync(Cancellation);
        (await cluster.RecordAsync(id)).SealedWith.ShouldBe(contentKey);
        output.Log.Tokens.ShouldBe(Enumerable.Range(0, 20));
        output.Log.From.ShouldBe(10);
    }

    [Fact]
    public async Task Worker_FailsAJob_AnotherTriesItNext()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(options => options.ChoosyFor = TimeSpan.FromMinutes(2));
        TaskCompletionSource reached = new(), breaks = new();
        ScriptedEngine broken = new(slots: 1)
        {
            BeforeToken = async (index, stop) =>
            {
                if (index < 5)
                    return;
                reached.TrySetResult();
                await breaks.Task.WaitAsync(stop);
                throw new InvalidOperationException("a broken engine");
            },
        };
        await cluster.AddWorkerAsync(broken);
        string id = await cluster.Client.SubmitAsync();
        await reached.Task.WaitAsync(Cancellation);
        // It finds the replica of the other, and says that it holds the model.
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        breaks.SetResult();

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("attempts").GetInt32().ShouldBe(2);
        job.GetProperty("failed_attempts").EnumerateArray().ShouldHaveSingleItem().GetProperty("worker_id").GetString().ShouldNotBe(job.GetProperty("worker_id").GetString());
    }

    [Fact]
    public async Task Worker_Drains_AnotherGoesOnAndNobodyIsBlamed()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        var reached = new TaskCompletionSource();
        var first = new ScriptedEngine(slots: 1)
        {
            BeforeToken = (index, stop) =>
            {
                if (index < 10)
                    return Task.CompletedTask;
                reached.TrySetResult();
                return Task.Delay(Timeout.Infinite, stop);
            },
        };
        TestWorker draining = await cluster.AddWorkerAsync(first);
        string id = await cluster.Client.SubmitAsync();
        await reached.Task.WaitAsync(Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        await draining.DrainAsync();

        var (text, _) = await cluster.Client.ReadAsync(id);
        text.ShouldBe(ScriptedEngine.Answer(20));
        JsonElement job = await cluster.Client.ShowAsync(id);
        job.GetProperty("failed_attempts").EnumerateArray().ShouldHaveSingleItem().GetProperty("outcome").GetString().ShouldBe("handed_back");
    }

    [Fact]
    public async Task Edge_Restarts_TheJobGoesOnAndItsReaderToo()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) };
        await cluster.AddWorkerAsync(engine);
        string id = await cluster.Client.SubmitAsync();
        string text = "";
        int offset = 0;
        await foreach (JsonElement line in cluster.Client.StreamAsync(id, 0, Cancellation))
        {
            text += line.GetProperty("text").GetString();
            offset = line.GetProperty("offset").GetInt32();
            if (offset == 10)
                break;
        }

        await cluster.RestartEdgeAsync();
        gate.SetResult();

        var (rest, last) = await cluster.Client.ReadAsync(id, offset);
        (text + rest).ShouldBe(ScriptedEngine.Answer(20));
        last.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Completion_Alone_WritesTheRecordsEnd()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        string id = await cluster.Client.SubmitAsync();

        // Looked at behind the endpoints' back: they would write it themselves.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await cluster.RecordAsync(id)).Status != RecordStatus.Completed)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    [Fact]
    public async Task Completion_Lost_WhoAsksFindsTheEndInTheOutput()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(options => options.TakesCompletions = false);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        string id = await cluster.Client.SubmitAsync();

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
    }

    [Fact]
    public async Task Message_Doubled_OneIsGrantedAndTheOtherDropped()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        var gate = new TaskCompletionSource();
        Task Wait(int index, CancellationToken stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = Wait });
        string id = await cluster.Client.SubmitAsync();
        JsonElement running = await cluster.Client.ShowWhenAsync(id, "running");
        JobRecord record = await cluster.RecordAsync(id);
        await DoubleAsync(cluster, record);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = Wait });

        await cluster.WaitForMessagesAsync(record.Model, 1);
        gate.SetResult();

        var (text, last) = await cluster.Client.ReadAsync(id);
        text.ShouldBe(ScriptedEngine.Answer(20));
        last.GetProperty("attempts").GetInt32().ShouldBe(1);
        running.GetProperty("attempts").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Attempts_FailToTheLimit_TheJobIsSetAsideAndCanBeQueuedAgain()
    {
        await using WebhookReceiver operators = await WebhookReceiver.StartAsync(Cancellation);
        await using JobCluster cluster = await JobCluster.StartAsync(
            options => options.MaxFailures = 2,
            services: edge => edge.Configure<WebhookOptions>(webhooks =>
            {
                webhooks.Urls.Add(operators.Url);
                webhooks.Secret = Convert.ToBase64String(new byte[24]);
            }));
        var engine = new ScriptedEngine(slots: 1)
        {
            BeforeToken = (index, _) => index < 5 ? Task.CompletedTask : throw new InvalidOperationException("a broken engine"),
        };
        await cluster.AddWorkerAsync(engine);
        string id = await cluster.Client.SubmitAsync();

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "failed");

        job.GetProperty("error").GetString()!.ShouldStartWith("set aside after 2 attempts; the last: ");
        job.GetProperty("failed_attempts").GetArrayLength().ShouldBe(2);
        var (_, last) = await cluster.Client.ReadAsync(id);
        last.GetProperty("status").GetString().ShouldBe("failed");
        JsonElement poison = await cluster.Client.GetFromJsonAsync<JsonElement>("/jobs?status=failed", Cancellation);
        JsonElement listed = poison.GetProperty("jobs").EnumerateArray().Single(item => item.GetProperty("id").GetString() == id);
        listed.GetProperty("error").GetString()!.ShouldStartWith("set aside");
        (listed.GetProperty("poison").GetBoolean(), listed.GetProperty("attempts").GetInt32()).ShouldBe((true, 2));
        listed.GetProperty("ended_at").GetDateTime().ShouldBe(job.GetProperty("ended_at").GetDateTime());
        JsonElement told = JsonElement.Parse((await operators.NextAsync(Cancellation)).Body);
        (told.GetProperty("type").GetString(), told.GetProperty("subject").GetString()).ShouldBe(("job.poison", id));

        engine.BeforeToken = (_, _) => Task.CompletedTask;
        using HttpResponseMessage again = await cluster.Client.PostAsync($"/jobs/{id}/requeue", null, Cancellation);

        again.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        job.GetProperty("attempts").GetInt32().ShouldBe(3);
        using HttpResponseMessage tooLate = await cluster.Client.PostAsync($"/jobs/{id}/requeue", null, Cancellation);
        tooLate.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Interactive_FailsToTheLimit_IsListedWithItsHistoryAndWithoutItsPrompt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(Broken());

        string id = await SetAsideAsync(cluster);

        JsonElement job = await cluster.Client.ShowAsync(id);
        job.GetProperty("status").GetString().ShouldBe("failed");
        job.GetProperty("interactive").GetBoolean().ShouldBeTrue();
        job.GetProperty("model").GetString().ShouldBe("demo");
        job.GetProperty("failed_attempts").EnumerateArray().Select(attempt => attempt.GetProperty("outcome").GetString()).ShouldBe(["failed", "failed", "failed"]);
        (await cluster.RecordAsync(id)).Job.ShouldBeNull();
        using HttpResponseMessage again = await cluster.Client.PostAsync($"/jobs/{id}/requeue", null, Cancellation);
        again.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await again.Content.ReadAsStringAsync(Cancellation)).ShouldContain("its prompt is not kept");
        using HttpResponseMessage stream = await cluster.Client.GetAsync($"/jobs/{id}/stream", Cancellation);
        stream.StatusCode.ShouldBe(HttpStatusCode.Gone);
    }

    [Fact]
    public async Task Interactive_SetAsideWithItsPromptKept_IsRunAgainAsABackgroundJob()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(options => options.PoisonPromptKept = TimeSpan.FromHours(1));
        ScriptedEngine engine = Broken();
        await cluster.AddWorkerAsync(engine);
        string id = await SetAsideAsync(cluster);
        engine.BeforeToken = (_, _) => Task.CompletedTask;

        using HttpResponseMessage again = await cluster.Client.PostAsync($"/jobs/{id}/requeue", null, Cancellation);

        again.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        job.GetProperty("poison").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Claim_NotSignedByTheWorker_Is401()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();

        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync(
            $"/cluster/jobs/{id}/claim", new { version = 1, worker_id = "w", claim_id = "c", message_id = "m" }, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await cluster.Client.ShowAsync(id)).GetProperty("status").GetString().ShouldBe("queued");
    }

    private static ScriptedEngine Broken() => new(slots: 1)
    {
        BeforeToken = (index, _) => index < 5 ? Task.CompletedTask : throw new InvalidOperationException("a broken engine"),
    };

    /// <summary>Asks until the job is given up; answers its id, as operators find it by the request's.</summary>
    private static async Task<string> SetAsideAsync(JobCluster cluster)
    {
        using HttpResponseMessage failed = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "hi", stream = false }, Cancellation);
        failed.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        string requestId = failed.Headers.GetValues("x-request-id").Single();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            // The record is written beside the answer, not before it.
            JsonElement list = await cluster.Client.GetFromJsonAsync<JsonElement>("/jobs?status=poison&all=true", Cancellation);
            if (list.GetProperty("jobs").EnumerateArray().Select(item => item.GetProperty("id").GetString()!).SingleOrDefault() is { } id)
            {
                (await cluster.Client.ShowAsync(id)).GetProperty("request_id").GetString().ShouldBe(requestId);
                return id;
            }
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>Puts a second message of the job, as storage's own retries may.</summary>
    private static async Task DoubleAsync(JobCluster cluster, JobRecord record)
    {
        var message = new QueuedJob(ProtocolVersion.Current, record.Id, record.Model, Band.Batch, Reply: null);
        JobQueues queues = cluster.EdgeServices.GetRequiredService<JobQueues>();
        await queues.EnqueueAsync(message, TimeSpan.FromSeconds(-1), Cancellation);
    }
}

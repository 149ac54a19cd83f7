using System.Net.Http.Json;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge;
using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Jobs;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.Streaming;
using OllamaMax.TestKit.Cluster;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>Edge, SignalR surface, storage and workers together; only the engine is a script.</summary>
public sealed class DispatchTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_FreeSlot_AnswersWhole()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 2), Cancellation);

        JsonElement answer = await GenerateAsync(cluster);

        answer.GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        answer.GetProperty("eval_count").GetInt32().ShouldBe(20);
        answer.GetProperty("done_reason").GetString().ShouldBe("stop");
    }

    /// <summary>In the message, and where it is too large for one.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(1_000_000)]
    public async Task Chat_Prediction_ReachesTheEngine(int length)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        ScriptedEngine engine = new(slots: 1);
        await cluster.AddWorkerAsync(engine, Cancellation);
        string content = new('x', length);

        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync(
            "/v1/chat/completions", new { model = "demo", prediction = new { type = "content", content }, messages = new[] { new { role = "user", content = "hi" } } }, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        engine.Asked!.Prediction.ShouldBe(content);
    }

    [Fact]
    public async Task Generate_MoreThanSlots_AllAreAnsweredThroughTheQueue()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        var engine = new ScriptedEngine(slots: 1) { BeforeToken = (_, stop) => Task.Delay(2, stop) };
        await cluster.AddWorkerAsync(engine, Cancellation);

        JsonElement[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => GenerateAsync(cluster)));

        answers.ShouldAllBe(answer => answer.GetProperty("response").GetString() == ScriptedEngine.Answer(20));
    }

    [Theory]
    [InlineData("seed=1,drop=0.1,double=0.1,reorder=0.2")]
    [InlineData("seed=2,drop=0.05,delay=1-30ms,throttle=0.05")]
    [InlineData("seed=3,double=0.2,reorder=0.3,reconnect=40")]
    public async Task Generate_UnreliableSignalR_EveryAnswerIsWholeAndExact(string faults)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        var engine = new ScriptedEngine(slots: 4) { AnswerTokens = 60, BeforeToken = (_, stop) => Task.Delay(3, stop) };
        await cluster.AddWorkerAsync(engine, Cancellation);
        cluster.Surface.Faults.Options = SignalRFaultOptions.Parse(faults);

        JsonElement[] answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => GenerateAsync(cluster)));

        answers.ShouldAllBe(answer => answer.GetProperty("response").GetString() == ScriptedEngine.Answer(60));
    }

    [Fact]
    public async Task Generate_BacklogFull_Is503WithRetryAfter()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount(),
            configure: services => services.Configure<DispatchOptions>(options => options.MaxBacklog = 1),
            logs: new LogLines(),
            cancellationToken: Cancellation);
        var gate = new TaskCompletionSource();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1) { BeforeToken = (_, stop) => gate.Task.WaitAsync(stop) }, Cancellation);

        Task<HttpResponseMessage>[] requests = [.. Enumerable.Range(0, 6).Select(_ => PostAsync(cluster))];
        Task<HttpResponseMessage> first = await Task.WhenAny(requests);

        using HttpResponseMessage refused = await first;
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter.ShouldNotBeNull().Delta.ShouldNotBeNull().TotalSeconds.ShouldBeGreaterThanOrEqualTo(1);
        gate.SetResult();
        await Task.WhenAll(requests);
    }

    [Theory]
    [InlineData("/api/embed")]
    [InlineData("/api/generate")]
    public async Task Post_LargerThanAMessageMayBe_GoesThroughStorage(string path)
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        string text = new('x', 2_000_000);

        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync(path, new { model = "demo", prompt = text, input = text, stream = false }, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Generate_SignalRTakesNothing_Is503AndNotReadyThoughTheConnectionStands()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        await GenerateAsync(cluster);
        cluster.Surface.Faults.Options = new SignalRFaultOptions { Throttle = 1 };

        using HttpResponseMessage response = await PostAsync(cluster);

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await response.Content.ReadAsStringAsync(Cancellation)).ShouldContain("SignalR cannot be reached");
        (await WhatIsMissingAsync(cluster)).ShouldNotBeNull().ShouldContain("""{"name":"signalr","ready":false,"reason":"this edge is connected, but what it sends is refused or lost"}""");
        cluster.Surface.Faults.Options = SignalRFaultOptions.None;
        // It finds out by itself: whoever is not ready may be sent no requests.
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20)))
        {
            while (await WhatIsMissingAsync(cluster) is not null)
                await timer.WaitForNextTickAsync(Cancellation);
        }
        await GenerateAsync(cluster);
    }

    [Fact]
    public async Task Drain_WhileAnswering_AnotherWorkerGoesOn()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
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
        TestWorker draining = await cluster.AddWorkerAsync(first, Cancellation);
        Task<JsonElement> answer = GenerateAsync(cluster);
        await reached.Task.WaitAsync(Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);

        await draining.DrainAsync();

        (await answer).GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
    }

    [Fact]
    public async Task Generate_ClientLeaves_TheSlotIsFreeWithinAStep()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        EndlessToken token = new();
        await cluster.AddWorkerAsync(token.Engine, Cancellation);
        using var leaving = new CancellationTokenSource();
        Task<HttpResponseMessage> request = PostAsync(cluster, leaving.Token);
        await token.Begun;

        await leaving.CancelAsync();

        await token.Stopped;
        await Should.ThrowAsync<OperationCanceledException>(request);
        token.Recover();
        (await GenerateAsync(cluster)).GetProperty("done").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Generate_DeadlinePasses_TheClientIsToldAndTheSlotIsFreeWithinAStep()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount(),
            configure: services => services.Configure<EdgeOptions>(options => options.JobDeadline = TimeSpan.FromSeconds(3)),
            logs: new LogLines(),
            cancellationToken: Cancellation);
        EndlessToken token = new();
        await cluster.AddWorkerAsync(token.Engine, Cancellation);
        // The deadline is for the answer, not for fetching the model: that may take longer on a busy machine.
        bool isLoaded = false;
        while (!isLoaded)
        {
            using HttpResponseMessage loading = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo" }, Cancellation);
            isLoaded = loading.IsSuccessStatusCode;
        }

        Task begun = token.Begun;
        HttpResponseMessage response = await PostAsync(cluster);
        // It may also pass before the worker has begun.
        while (!begun.IsCompleted)
        {
            response.Dispose();
            response = await PostAsync(cluster);
        }

        using HttpResponseMessage answered = response;
        (await response.Content.ReadAsStringAsync(Cancellation)).ShouldBe("""{"error":"no answer within 3 seconds"}""");
        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        await token.Stopped;
        token.Recover();
        (await GenerateAsync(cluster)).GetProperty("done").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Generate_TheWorkersLookIntoAQueueHangs_IsPushedToItsFreeSlot()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        await using SilentServer storage = new();
        worker.Services.GetRequiredService<QueuePoller>().Nudged(new NudgeMessage(new string('a', 64), Band.Interactive, $"http://127.0.0.1:{storage.Port}/queue"));
        await storage.Asked.WaitAsync(Cancellation);

        (await GenerateAsync(cluster)).GetProperty("done").GetBoolean().ShouldBeTrue();
    }

    private static async Task<JsonElement> GenerateAsync(TestCluster cluster)
    {
        using HttpResponseMessage response = await PostAsync(cluster);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>Null: the edge says that it is ready.</summary>
    private static async Task<string?> WhatIsMissingAsync(TestCluster cluster)
    {
        using HttpResponseMessage ready = await cluster.Client.GetAsync("/readyz", Cancellation);
        return ready.IsSuccessStatusCode ? null : await ready.Content.ReadAsStringAsync(Cancellation);
    }

    private static Task<HttpResponseMessage> PostAsync(TestCluster cluster, CancellationToken? cancellation = null) =>
        cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt = "hi", stream = false }, cancellation ?? Cancellation);
}

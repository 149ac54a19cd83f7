using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Tenants;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Tests.Dispatch;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Storage.Jobs;
using OllamaMax.Streaming;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>Background jobs while nothing goes wrong: what clients submit, see, follow, cancel and delete.</summary>
public sealed class BackgroundJobTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submit_Generate_IsAnsweredInItsShape()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        string id = await cluster.Client.SubmitAsync();
        var (text, last) = await cluster.Client.ReadAsync(id);

        text.ShouldBe(ScriptedEngine.Answer(20));
        last.GetProperty("done_reason").GetString().ShouldBe("stop");
        last.GetProperty("eval_count").GetInt32().ShouldBe(20);
        JsonElement job = await cluster.Client.ShowAsync(id);
        job.GetProperty("status").GetString().ShouldBe("completed");
        job.GetProperty("attempts").GetInt32().ShouldBe(1);
        JsonElement result = job.GetProperty("result");
        result.GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        result.GetProperty("done").GetBoolean().ShouldBeTrue();
        result.GetProperty("model").GetString().ShouldBe("demo");
        result.GetProperty("eval_count").GetInt32().ShouldBe(20);
    }

    [Fact]
    public async Task Submit_Chat_IsAnsweredInItsShapeAndPlace()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        using HttpResponseMessage accepted = await cluster.Client.PostAsJsonAsync(
            "/jobs", new { model = "demo", messages = new[] { new { role = "user", content = "hi" } }, stream = true }, Cancellation);

        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        JsonElement submitted = await accepted.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        submitted.GetProperty("status").GetString().ShouldBe("queued");
        string id = submitted.GetProperty("id").GetString()!;
        accepted.Headers.Location!.ToString().ShouldBe($"/jobs/{id}");
        JsonElement job = await cluster.Client.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("message").GetProperty("content").GetString().ShouldBe(ScriptedEngine.Answer(20));
    }

    /// <summary>Workers that know only the first forms of calls can read the grant; edges of that age lose no form where they write the record anew.</summary>
    [Fact]
    public async Task Claim_LaterFormOfCalls_StandsWhereOldWorkersSkipItAndInTheRecordAsItIs()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();
        StoredRecord found = (await cluster.Store.FindAsync(id, Cancellation)).ShouldNotBeNull();
        JobRecord kimi = found.Record with { Job = found.Record.Job! with { Parsing = new() { ToolCalls = ToolCallForm.Kimi } } };
        await cluster.Store.ReplaceAsync(found, kimi, kimi.Deadline, Cancellation);
        await cluster.ClearQueueAsync(kimi.Model);
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        WorkerIdentity identity = worker.Services.GetRequiredService<WorkerIdentity>();

        JobClaimAnswer answer = await worker.Services.GetRequiredService<EdgeClient>()
            .ClaimAsync(identity, id, new(ProtocolVersion.Current, identity.Id!, "claim", "message"), Cancellation);

        Forms(answer.Grant.ShouldNotBeNull().Grant.Job!).ShouldBe(("None", "Kimi"));
        Forms((await cluster.RecordAsync(id)).Job!).ShouldBe(("Kimi", null));

        static (string?, string?) Forms(Job job)
        {
            JsonElement written = JsonSerializer.SerializeToElement(job.Parsing, ProtocolJson.Default.OutputParsing);
            return (written.GetProperty("tool_calls").GetString(), written.TryGetProperty("call_form", out JsonElement later) ? later.GetString() : null);
        }
    }

    [Fact]
    public async Task Submit_WhatIsNoCall_Is400()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string[] bodies =
        [
            """{"model":"demo"}""",
            """{"model":"demo","messages":[]}""",
            """{"model":"demo","prompt":""}""",
            """{"model":"demo","prompt":7}""",
            """{"model":"demo","prompt":"hi","options":{"temperature":"hot"}}""",
        ];
        foreach (string body in bodies)
        {
            using HttpResponseMessage response = await cluster.Client.PostAsync("/jobs", new StringContent(body), Cancellation);

            response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, body);
            (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString().ShouldNotBeNullOrEmpty();
        }
    }

    [Fact]
    public async Task Stream_AfterTheEnd_StartsWhereItIsAsked()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        string id = await cluster.Client.SubmitAsync();
        await cluster.Client.ShowWhenAsync(id, "completed");

        for (int after = 0; after <= 20; after++)
        {
            var (text, last) = await cluster.Client.ReadAsync(id, after);

            (ScriptedEngine.Answer(after) + text).ShouldBe(ScriptedEngine.Answer(20));
            last.GetProperty("offset").GetInt32().ShouldBe(20);
        }
    }

    [Fact]
    public async Task Stream_DuringTheRun_ShowsWhatIsThereAndThenTheRest()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) };
        await cluster.AddWorkerAsync(engine);
        string id = await cluster.Client.SubmitAsync();
        string text = "";
        int offset = 0;

        await foreach (JsonElement line in cluster.Client.StreamAsync(id, 3, Cancellation))
        {
            text += line.GetProperty("text").GetString();
            offset = line.GetProperty("offset").GetInt32();
            if (offset == 10)
            {
                text.ShouldBe(ScriptedEngine.Answer(10)[ScriptedEngine.Answer(3).Length..]);
                gate.TrySetResult();
            }
        }

        (ScriptedEngine.Answer(3) + text).ShouldBe(ScriptedEngine.Answer(20));
        offset.ShouldBe(20);
    }

    [Fact]
    public async Task Stream_Events_GoOnAfterTheLastEventId()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        string id = await cluster.Client.SubmitAsync();
        await cluster.Client.ShowWhenAsync(id, "completed");

        string events = await EventsAsync(cluster, id, "7");

        events.ShouldStartWith("id: 20\ndata: {\"offset\":20,\"text\":\"7 8 9 ");
        events.ShouldContain("\n\nid: end\ndata: {\"offset\":20,\"text\":\"\",\"done\":true,\"status\":\"completed\"");
        (await EventsAsync(cluster, id, "end")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Submit_StopString_EndsTheWorkersRunThere()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        var engine = new ScriptedEngine(slots: 1) { AnswerTokens = int.MaxValue, BeforeToken = (_, stop) => Task.Delay(1, stop) };
        await cluster.AddWorkerAsync(engine);

        string id = await cluster.Client.SubmitAsync(new { stop = (List<string>)["17 "] });
        var (text, last) = await cluster.Client.ReadAsync(id);

        text.ShouldBe(ScriptedEngine.Answer(17));
        last.GetProperty("done_reason").GetString().ShouldBe("stop");
        last.GetProperty("eval_count").GetInt32().ShouldBe(18);
    }

    [Fact]
    public async Task Delete_Queued_IsCancelledAndNobodyRunsIt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();

        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.OK);

        (await cluster.Client.ShowAsync(id)).GetProperty("status").GetString().ShouldBe("cancelled");
        var (text, last) = await cluster.Client.ReadAsync(id);
        text.ShouldBeEmpty();
        last.GetProperty("error").GetString().ShouldBe("the job was cancelled");
        var engine = new ScriptedEngine(slots: 1);
        await cluster.AddWorkerAsync(engine);
        await cluster.Client.ShowWhenAsync(await cluster.Client.SubmitAsync(), "completed");
        await cluster.WaitForMessagesAsync((await cluster.RecordAsync(id)).Model, 0);
        engine.Steps.ShouldBe(20);
        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NoContent);
        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Delete_Running_FreesTheSlotWithinAStep()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        EndlessToken token = new();
        await cluster.AddWorkerAsync(token.Engine);
        string id = await cluster.Client.SubmitAsync();
        await token.Begun;

        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.OK);

        await token.Stopped;
        token.Recover();
        using HttpResponseMessage next = await cluster.Client.PostAsJsonAsync(
            "/api/generate", new { model = "demo", prompt = "hi", stream = false }, Cancellation);
        next.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await cluster.Client.ShowAsync(id)).GetProperty("status").GetString().ShouldBe("cancelled");
    }

    [Fact]
    public async Task Submit_DeadlinePasses_FailsAndTheSlotIsFree()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(options => options.Deadline = TimeSpan.FromSeconds(3));
        EndlessToken token = new();
        await cluster.AddWorkerAsync(token.Engine);
        // Its model is there, so that it is not this which the deadline passes over.
        using HttpResponseMessage loaded = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo" }, Cancellation);
        loaded.StatusCode.ShouldBe(HttpStatusCode.OK);

        Task begun = token.Begun;
        string id = await cluster.Client.SubmitAsync();
        // On a busy machine it may also pass before anybody has come to the job.
        while (await Task.WhenAny(begun, cluster.Client.ShowWhenAsync(id, "failed")) != begun)
            id = await cluster.Client.SubmitAsync();

        await token.Stopped;
        JsonElement job = await cluster.Client.ShowAsync(id);
        job.GetProperty("status").GetString().ShouldBe("failed");
        job.GetProperty("error").GetString().ShouldNotBeNull().ShouldStartWith("no answer until the deadline");
        token.Recover();
        using HttpResponseMessage next = await cluster.Client.PostAsJsonAsync(
            "/api/generate", new { model = "demo", prompt = "hi", stream = false }, Cancellation);
        next.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Retention_StoreNothing_WhoStreamsHasItAndNothingStays()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(options => options.Retention = TimeSpan.Zero);
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine(slots: 1) { BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : gate.Task.WaitAsync(stop) };
        await cluster.AddWorkerAsync(engine);
        string id = await cluster.Client.SubmitAsync();
        string text = "";

        await foreach (JsonElement line in cluster.Client.StreamAsync(id, 0, Cancellation))
        {
            text += line.GetProperty("text").GetString();
            gate.TrySetResult();
        }

        text.ShouldBe(ScriptedEngine.Answer(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while ((await cluster.RecordAsync(id)).HasContent)
            await timer.WaitForNextTickAsync(Cancellation);
        (await cluster.Store.Output(id).ReadAsync(Cancellation)).ShouldBeEmpty();
        JsonElement job = await cluster.Client.ShowAsync(id);
        job.GetProperty("status").GetString().ShouldBe("completed");
        job.TryGetProperty("result", out _).ShouldBeFalse();
        using HttpResponseMessage gone = await cluster.Client.GetAsync($"/jobs/{id}/stream", Cancellation);
        gone.StatusCode.ShouldBe(HttpStatusCode.Gone);
    }

    [Fact]
    public async Task Retention_TimeIsOver_TheJobIsUnknown()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(options =>
        {
            options.Retention = TimeSpan.FromMilliseconds(1);
            options.FiguresKept = TimeSpan.FromSeconds(1);
        });
        string id = await cluster.Client.SubmitAsync();
        await cluster.Client.DeleteJobAsync(id);

        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        HttpStatusCode status;
        do
        {
            await timer.WaitForNextTickAsync(Cancellation);
            using HttpResponseMessage response = await cluster.Client.GetAsync($"/jobs/{id}", Cancellation);
            status = response.StatusCode;
        }
        while (status == HttpStatusCode.OK);

        status.ShouldBe(HttpStatusCode.NotFound);
        (await cluster.Store.FindAsync(id, Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task ForeignTenant_Job_IsUnknown()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        string id = await cluster.Client.SubmitAsync();
        StoredRecord own = (await cluster.Store.FindAsync(id, Cancellation))!;
        await cluster.Store.ReplaceAsync(own, own.Record with { Tenant = "another" }, own.Record.Deadline, Cancellation);

        (await cluster.Client.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NotFound);
        using HttpResponseMessage stream = await cluster.Client.GetAsync($"/jobs/{id}/stream", Cancellation);
        stream.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        JsonElement list = await cluster.Client.GetFromJsonAsync<JsonElement>("/jobs?limit=1000", Cancellation);
        list.GetProperty("jobs").EnumerateArray().ShouldNotContain(job => job.GetProperty("id").GetString() == id);
    }

    [Fact]
    public async Task Submit_BeyondABound_IsRefusedWithRetryAfter()
    {
        await using JobCluster cluster = await JobCluster.StartAsync(
            options => options.MaxBacklog = 3,
            services: edge => edge.Configure<TenantOptions>(tenants => tenants.Limits["heavy"] = new TenantLimits { MaxBackground = 2 }));
        HttpStatusCode[] heavy = [await SubmitAsync("heavy"), await SubmitAsync("heavy"), await SubmitAsync("heavy")];
        HttpStatusCode[] light = [await SubmitAsync("light"), await SubmitAsync("light")];

        heavy.ShouldBe([HttpStatusCode.Accepted, HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests]);
        light.ShouldBe([HttpStatusCode.Accepted, HttpStatusCode.ServiceUnavailable]);

        async Task<HttpStatusCode> SubmitAsync(string tenant)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/jobs")
            {
                Headers = { { TestCluster.TenantHeader, tenant } },
                Content = JsonContent.Create(new { model = "demo", prompt = "hi" }),
            };
            using HttpResponseMessage response = await cluster.Client.SendAsync(request, Cancellation);
            (response.Headers.RetryAfter?.Delta is not null).ShouldBe(response.StatusCode != HttpStatusCode.Accepted);
            return response.StatusCode;
        }
    }

    private static async Task<string> EventsAsync(JobCluster cluster, string id, string lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/jobs/{id}/stream");
        request.Headers.Accept.Add(new("text/event-stream"));
        request.Headers.Add("Last-Event-ID", lastEventId);
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, Cancellation);
        response.StatusCode.ShouldBe(lastEventId == "end" ? HttpStatusCode.NoContent : HttpStatusCode.OK);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }
}

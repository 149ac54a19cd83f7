using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Storage.Jobs;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>Jobs with a strategy through <c>/jobs</c>, on the local task hub.</summary>
public sealed class StrategyJobTests : IClassFixture<StrategyFixture>
{
    private static readonly string[] TwiceDemo = ["demo", "demo"];
    private static readonly string[] DemoAndOther = ["demo", "other"];
    private static readonly string[] DemoAndNobody = ["demo", "nobody"];

    private readonly StrategyFixture _fixture;

    public StrategyJobTests(StrategyFixture fixture)
    {
        _fixture = fixture;
        fixture.Engine.BeforeToken = (_, _) => Task.CompletedTask;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Http => _fixture.Client;

    [Fact]
    public async Task N_ThreeAnswers_AreAllInTheResult()
    {
        string id = await SubmitAsync(new { strategy = "n", n = 3, model = "demo", prompt = "hi", options = new { num_predict = 5 } });

        JsonElement job = await Http.ShowWhenAsync(id, "completed");

        job.GetProperty("strategy").GetString().ShouldBe("n");
        JsonElement[] choices = [.. job.GetProperty("result").GetProperty("choices").EnumerateArray()];
        choices.Select(choice => choice.GetProperty("result").GetProperty("response").GetString()).ShouldAllBe(text => text == ScriptedEngine.Answer(5));
        JsonElement[] branches = Branches(job);
        branches.Select(branch => branch.GetProperty("status").GetString()).ShouldBe(["completed", "completed", "completed"]);
        branches.Select(Job).ShouldBe(choices.Select(Job));
        JsonElement branch = await Http.ShowAsync(Job(branches[0])!);
        branch.GetProperty("strategy_job_id").GetString().ShouldBe(id);
    }

    [Fact]
    public async Task N_SubmittedAgainUnderItsKey_IsTheSameJob()
    {
        string[] ids = new string[2];
        for (int i = 0; i < ids.Length; i++)
        {
            using HttpResponseMessage response = await PostAsync("strategy-1");
            response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
            response.Headers.Contains("idempotency-replayed").ShouldBe(i > 0);
            ids[i] = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        }

        ids[1].ShouldBe(ids[0]);
        (await Http.ShowWhenAsync(ids[0], "completed")).GetProperty("result").GetProperty("choices").GetArrayLength().ShouldBe(2);
    }

    /// <summary>As where its server was killed between the job and the note that it was taken on.</summary>
    [Fact]
    public async Task N_DeletedThatNobodyNotedAsTakenOn_IsGoneAndRunsNothing()
    {
        using HttpResponseMessage first = await PostAsync("strategy-2");
        string id = (await first.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        await Http.ShowWhenAsync(id, "completed");
        SubmissionStore submissions = _fixture.Cluster.EdgeServices.GetRequiredService<SubmissionStore>();
        foreach (string name in await submissions.ListAsync("local", Cancellation).ToListAsync(Cancellation))
        {
            if (await submissions.FindAsync(name, "local", Cancellation) is { Submission: var begun } found && begun.JobId == id)
                await submissions.ReplaceAsync(found, begun with { IsTaken = false, BegunAt = begun.BegunAt - TimeSpan.FromMinutes(1) }, Cancellation);
        }
        (await Http.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NoContent);

        using HttpResponseMessage again = await PostAsync("strategy-2");

        again.StatusCode.ShouldBe(HttpStatusCode.Gone);
    }

    /// <summary>As where nobody has run the hub for longer than its jobs are kept.</summary>
    [Fact]
    public async Task Sweep_OrchestrationIsOpen_EndsItAndLeavesNothing()
    {
        TaskCompletionSource begun = new(), gate = new();
        _fixture.Engine.BeforeToken = (_, stop) =>
        {
            begun.TrySetResult();
            return gate.Task.WaitAsync(stop);
        };
        string id = await SubmitAsync(new { strategy = "n", n = 2, model = "demo", prompt = "hi" });
        await begun.Task.WaitAsync(Cancellation);
        DurableTaskClient hub = _fixture.Cluster.EdgeServices.GetRequiredService<DurableTaskClient>();
        OrchestrationSweep sweep = _fixture.Cluster.EdgeServices.GetRequiredService<OrchestrationSweep>();
        DateTimeOffset later = TimeProvider.System.GetUtcNow().AddYears(1);

        await sweep.SweepAsync(hub, later, Cancellation);
        (await hub.WaitForInstanceCompletionAsync(id, Cancellation)).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Terminated);
        await sweep.SweepAsync(hub, later, Cancellation);
        gate.SetResult();

        (await hub.GetInstanceAsync(id, Cancellation)).ShouldBeNull();
        using HttpResponseMessage gone = await Http.GetAsync($"/jobs/{id}", Cancellation);
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Race_OneAnswers_CancelsTheOther()
    {
        int begun = 0;
        _fixture.Engine.BeforeToken = (index, stop) =>
            index == 0 && Interlocked.Increment(ref begun) > 1 ? new TaskCompletionSource().Task.WaitAsync(stop) : Task.CompletedTask;
        string id = await SubmitAsync(new { strategy = "race", models = TwiceDemo, messages = new[] { new { role = "user", content = "hi" } } });

        JsonElement job = await Http.ShowWhenAsync(id, "completed");

        job.GetProperty("result").GetProperty("message").GetProperty("content").GetString().ShouldBe(ScriptedEngine.Answer(20));
        Branches(job).Select(branch => branch.GetProperty("status").GetString()).Order().ShouldBe(["cancelled", "completed"]);
    }

    [Fact]
    public async Task MapReduce_OfALongText_AsksAboutAllOfIt()
    {
        string text = string.Concat(Enumerable.Range(0, 400).Select(i => $"sentence {i} of it.\n"));
        string id = await SubmitAsync(new
        {
            strategy = "map_reduce",
            model = "demo",
            text,
            map_prompt = "Say it shorter: {text}",
            reduce_prompt = "Make one of these: {text}",
            chunk_tokens = 500,
            fan_in = 3,
            options = new { num_predict = 3 },
        });

        JsonElement job = await Http.ShowWhenAsync(id, "completed");

        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(3));
        string[] roles = [.. Branches(job).Select(branch => branch.GetProperty("role").GetString()!)];
        int maps = roles.Count(role => role == "map");
        maps.ShouldBeGreaterThan(4);
        roles.Count(role => role == "reduce").ShouldBe(Reduces(maps));

        static int Reduces(int count) => count <= 3 ? 1 : ((count + 2) / 3) + Reduces((count + 2) / 3);
    }

    [Fact]
    public async Task Ensemble_WithJudge_HasItsAnswer()
    {
        string id = await SubmitAsync(new
        {
            strategy = "ensemble",
            models = DemoAndOther,
            prompt = "hi",
            judge = new { model = "demo", prompt = "Which is best?\n{text}" },
            options = new { num_predict = 4 },
        });

        JsonElement job = await Http.ShowWhenAsync(id, "completed");

        job.GetProperty("result").GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(4));
        Branches(job).Select(branch => branch.GetProperty("model").GetString()).ShouldBe(["demo", "other", "demo"]);
    }

    [Fact]
    public async Task Ensemble_ThatCannotVote_FailsWithItsBranches()
    {
        string id = await SubmitAsync(new { strategy = "ensemble", models = TwiceDemo, prompt = "hi", vote = new { field = "answer" } });

        JsonElement job = await Http.ShowWhenAsync(id, "failed");

        // The scripted engine counts: that is no object with a field.
        job.GetProperty("error").GetString().ShouldBe("none of the answers has what the vote is about");
        job.GetProperty("vote").GetProperty("answers").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Delete_WhileItRuns_CancelsItsBranchesToo()
    {
        _fixture.Engine.BeforeToken = (_, stop) => new TaskCompletionSource().Task.WaitAsync(stop);
        string id = await SubmitAsync(new { strategy = "n", n = 2, model = "demo", prompt = "hi" });
        JsonElement running = await Http.ShowWhenAsync(id, "running");
        Branches(running).Length.ShouldBe(2);

        using HttpResponseMessage cancelled = await Http.DeleteAsync($"/jobs/{id}", Cancellation);

        JsonElement job = await cancelled.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        job.GetProperty("status").GetString().ShouldBe("cancelled");
        foreach (JsonElement branch in Branches(job))
            (await Http.ShowAsync(Job(branch)!)).GetProperty("status").GetString().ShouldBe("cancelled");
        (await Http.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NoContent);
        (await Http.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Edge_EndsInBetween_AnotherOneGoesOn()
    {
        TaskCompletionSource gate = new();
        _fixture.Engine.BeforeToken = (_, stop) => gate.Task.WaitAsync(stop);
        string id = await SubmitAsync(new { strategy = "n", n = 2, model = "demo", prompt = "hi" });
        await Http.ShowWhenAsync(id, "running");

        await _fixture.Cluster.RestartEdgeAsync();
        gate.SetResult();

        JsonElement job = await Http.ShowWhenAsync(id, "completed");
        job.GetProperty("result").GetProperty("choices").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task List_HasTheJobBesideItsBranches()
    {
        string id = await SubmitAsync(new { strategy = "n", n = 2, model = "demo", prompt = "hi", options = new { num_predict = 2 } });
        string?[] branches = [.. Branches(await Http.ShowWhenAsync(id, "completed")).Select(Job)];

        JsonElement[] jobs = await ListAsync("/jobs?limit=1000");
        JsonElement[] completed = await ListAsync("/jobs?limit=1000&status=completed");

        JsonElement listed = jobs.Single(job => job.GetProperty("id").GetString() == id);
        (listed.GetProperty("strategy").GetString(), listed.GetProperty("status").GetString(), listed.GetProperty("model").GetString()).ShouldBe(("n", "completed", "demo"));
        listed.TryGetProperty("ended_at", out _).ShouldBeTrue();
        completed.Select(job => job.GetProperty("id").GetString()).ShouldContain(id);
        jobs.Select(job => job.GetProperty("id").GetString()).ShouldBeInOrder(SortDirection.Descending);
        jobs.Select(job => job.GetProperty("id").GetString()).Intersect(branches).Count().ShouldBe(2);
        (await ListAsync("/jobs?limit=1000&status=failed")).ShouldNotContain(job => job.GetProperty("id").GetString() == id);
        (await ListAsync("/jobs?limit=1")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Stream_WhileBranchesRun_HasTheirStatesAndPartialTexts()
    {
        TaskCompletionSource gate = new();
        _fixture.Engine.BeforeToken = (index, stop) => index < 2 ? Task.CompletedTask : gate.Task.WaitAsync(stop);
        string id = await SubmitAsync(new { strategy = "n", n = 2, model = "demo", prompt = "hi", options = new { num_predict = 5 } });

        List<JsonElement> lines = [];
        await foreach (JsonElement line in Http.StreamAsync(id, cancellationToken: Cancellation))
        {
            lines.Add(line);
            if (Enumerable.Range(0, 2).All(branch => Text(lines, branch).Length > 0))
                gate.TrySetResult();
        }

        JsonElement last = lines[^1];
        (last.GetProperty("done").GetBoolean(), last.GetProperty("status").GetString()).ShouldBe((true, "completed"));
        for (int branch = 0; branch < 2; branch++)
        {
            JsonElement[] own = [.. Of(lines, branch)];
            own[0].GetProperty("role").GetString().ShouldBe("choice");
            string?[] states = [.. own.Where(line => line.TryGetProperty("status", out _)).Select(line => line.GetProperty("status").GetString())];
            states[^2..].ShouldBe(["running", "completed"]);
            Text(lines, branch).ShouldBe(ScriptedEngine.Answer(5));
            own.Last(line => line.TryGetProperty("offset", out _)).GetProperty("offset").GetInt32().ShouldBe(5);
        }
    }

    [Fact]
    public async Task Stream_AfterTheEnd_TellsItAllAgainAsEventsToo()
    {
        string id = await SubmitAsync(new { strategy = "n", n = 1, model = "demo", prompt = "hi", options = new { num_predict = 3 } });
        await Http.ShowWhenAsync(id, "completed");

        (await Http.StreamAsync(id, cancellationToken: Cancellation).ToListAsync(Cancellation)).ShouldSatisfyAllConditions(
            lines => Text(lines, 0).ShouldBe(ScriptedEngine.Answer(3)),
            lines => lines[^1].GetProperty("done").GetBoolean().ShouldBeTrue());
        using HttpResponseMessage events = await StreamAsync($"/jobs/{id}/stream", "accept", "text/event-stream");
        events.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        string[] parts = (await events.Content.ReadAsStringAsync(Cancellation)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        parts.SkipLast(1).ShouldAllBe(part => part.StartsWith("data: {", StringComparison.Ordinal));
        parts[^1].ShouldStartWith("id: end\ndata: {\"done\":true");
        using HttpResponseMessage again = await StreamAsync($"/jobs/{id}/stream", "Last-Event-ID", "end");
        again.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using HttpResponseMessage middle = await StreamAsync($"/jobs/{id}/stream?after=3", "accept", "*/*");
        middle.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Submit_WithAKey_CountsTheBranchesForIt()
    {
        using HttpResponseMessage created = await Http.PostAsJsonAsync("/keys", new { name = "ada", tenant = "ada" }, Cancellation);
        JsonElement key = await created.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        using HttpClient ada = new() { BaseAddress = Http.BaseAddress };
        ada.DefaultRequestHeaders.Add("x-api-key", key.GetProperty("key").GetString());
        string id = await SubmitAsync(new { strategy = "n", n = 3, model = "demo", prompt = "hi", options = new { num_predict = 5 } }, ada);

        await ada.ShowWhenAsync(id, "completed");

        JsonElement[] usage = [];
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (usage.Sum(item => item.GetProperty("requests").GetInt32()) < 3 && await timer.WaitForNextTickAsync(Cancellation))
            usage = [.. (await Http.GetFromJsonAsync<JsonElement>($"/usage?key={key.GetProperty("id").GetString()}", Cancellation)).GetProperty("usage").EnumerateArray()];
        usage.Select(item => (item.GetProperty("tenant").GetString(), item.GetProperty("requests").GetInt32(), item.GetProperty("output_tokens").GetInt32())).ShouldBe([("ada", 3, 15)]);
        using HttpResponseMessage foreign = await Http.GetAsync($"/jobs/{id}/stream", Cancellation);
        foreign.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"strategy":"magic","model":"demo","prompt":"hi"}""", "strategy must be one of n, race, map_reduce, ensemble")]
    [InlineData("""{"strategy":7,"model":"demo","prompt":"hi"}""", "strategy must be a string")]
    [InlineData("""{"strategy":"n","model":"demo","prompt":"hi"}""", "n is required")]
    [InlineData("""{"strategy":"n","n":10000,"model":"demo","prompt":"hi"}""", "n must be from 1 to 256")]
    [InlineData("""{"strategy":"n","n":0,"model":"demo","prompt":"hi"}""", "n must be from 1 to 256")]
    [InlineData("""{"strategy":"n","n":2,"model":"demo"}""", "the body must be that of")]
    [InlineData("""{"strategy":"n","n":2,"prompt":"hi"}""", "model is required")]
    [InlineData("""{"strategy":"n","n":2,"model":"demo","prompt":"hi","options":{"temperature":"hot"}}""", "temperature")]
    [InlineData("""{"strategy":"race","models":[],"prompt":"hi"}""", "models must be 1 to 256 names")]
    [InlineData("""{"strategy":"race","prompt":"hi"}""", "models is required, or n")]
    [InlineData("""{"strategy":"ensemble","models":["demo"],"prompt":"hi"}""", "judge or vote is required")]
    [InlineData("""{"strategy":"ensemble","models":["demo"],"prompt":"hi","judge":{"model":"demo","prompt":"no mark"}}""", "judge.prompt must be a prompt with {text}")]
    [InlineData("""{"strategy":"map_reduce","model":"demo","text":"","map_prompt":"{text}","reduce_prompt":"{text}"}""", "text is required")]
    [InlineData("""{"strategy":"map_reduce","model":"demo","text":"a","map_prompt":"{text}"}""", "reduce_prompt must be a prompt with {text}")]
    [InlineData("""{"strategy":"map_reduce","model":"demo","text":"a","map_prompt":"{text}","reduce_prompt":"{text}","chunk_tokens":100,"overlap_tokens":99}""", "overlap_tokens must be at most half")]
    [InlineData("""{"strategy":"n","n":2,"model":"demo","prompt":"hi","keep_alive":"\ud800"}""", "must be valid Unicode")]
    public async Task Submit_WhatIsNoStrategy_Is400(string body, string error)
    {
        using HttpResponseMessage response = await Http.PostAsync("/jobs", new StringContent(body), Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest, body);
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()!.ShouldContain(error);
    }

    [Fact]
    public async Task Submit_ForAModelThatIsNotThere_Is404()
    {
        using HttpResponseMessage response = await Http.PostAsJsonAsync(
            "/jobs", new { strategy = "ensemble", models = DemoAndNobody, prompt = "hi", vote = new { } }, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static JsonElement[] Branches(JsonElement job) => [.. job.GetProperty("branches").EnumerateArray()];

    private static string? Job(JsonElement branch) => branch.GetProperty("job_id").GetString();

    /// <summary>The lines of a branch, in their order.</summary>
    private static IEnumerable<JsonElement> Of(IEnumerable<JsonElement> lines, int branch) =>
        lines.Where(line => line.TryGetProperty("branch", out JsonElement of) && of.GetInt32() == branch);

    private static string Text(IEnumerable<JsonElement> lines, int branch) =>
        string.Concat(Of(lines, branch).Select(line => line.TryGetProperty("text", out JsonElement text) ? text.GetString() : ""));

    private async Task<JsonElement[]> ListAsync(string path) =>
        [.. (await Http.GetFromJsonAsync<JsonElement>(path, Cancellation)).GetProperty("jobs").EnumerateArray()];

    private async Task<HttpResponseMessage> StreamAsync(string path, string header, string value)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        request.Headers.Add(header, value);
        return await Http.SendAsync(request, Cancellation);
    }

    /// <summary>Under a key of the client's.</summary>
    private async Task<HttpResponseMessage> PostAsync(string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/jobs")
        {
            Content = JsonContent.Create(new { strategy = "n", n = 2, model = "demo", prompt = "hi", options = new { num_predict = 3 } }),
            Headers = { { "Idempotency-Key", key } },
        };
        return await Http.SendAsync(request, Cancellation);
    }

    private async Task<string> SubmitAsync(object body, HttpClient? client = null)
    {
        using HttpResponseMessage response = await (client ?? Http).PostAsJsonAsync("/jobs", body, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted, text);
        JsonElement job = JsonDocument.Parse(text).RootElement;
        job.GetProperty("status").GetString().ShouldBe("queued");
        response.Headers.Location!.ToString().ShouldBe($"/jobs/{job.GetProperty("id").GetString()}");
        return job.GetProperty("id").GetString()!;
    }
}

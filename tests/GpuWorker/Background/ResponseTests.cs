using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>Responses of <c>/v1/responses</c> that run in the background.</summary>
public sealed class ResponseTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Background_Streamed_WhoComesBackGetsTheSameEventsFromThereOn()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        string[] events = await EventsAsync(await cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", background = true, stream = true }, Cancellation));

        JsonElement[] data = [.. events.Select(one => JsonElement.Parse(one.Split("\ndata: ")[1]))];
        data[..3].Select(one => one.GetProperty("type").GetString()).ShouldBe(["response.created", "response.queued", "response.in_progress"]);
        data.Select(one => one.GetProperty("sequence_number").GetInt32()).ShouldBe(Enumerable.Range(0, events.Length));
        string.Concat(data.Where(one => one.GetProperty("type").GetString() == "response.output_text.delta").Select(one => one.GetProperty("delta").GetString()))
            .ShouldBe(ScriptedEngine.Answer(20));
        JsonElement last = data[^1].GetProperty("response");
        last.GetProperty("status").GetString().ShouldBe("completed");
        string path = $"/v1/responses/{last.GetProperty("id").GetString()}";
        (await AnswerAsync(cluster.Client.GetAsync(path, Cancellation))).GetRawText().ShouldBe(last.GetRawText());
        for (int after = 0; after < events.Length; after++)
        {
            string query = string.Create(CultureInfo.InvariantCulture, $"?stream=true&starting_after={after}");
            (await EventsAsync(await cluster.Client.GetAsync(path + query, Cancellation))).ShouldBe(events[(after + 1)..]);
        }
    }

    [Fact]
    public async Task Background_CancelledWhileQueued_SaysSoInEveryWay()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        JsonElement queued = await AnswerAsync(cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", background = true }, Cancellation));
        queued.GetProperty("status").GetString().ShouldBe("queued");
        string path = $"/v1/responses/{queued.GetProperty("id").GetString()}";
        using HttpResponseMessage next = await cluster.Client.PostAsJsonAsync(
            "/v1/responses", new { model = "demo", input = "hi", previous_response_id = queued.GetProperty("id").GetString() }, Cancellation);

        JsonElement cancelled = await AnswerAsync(cluster.Client.PostAsync($"{path}/cancel", null, Cancellation));

        next.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        cancelled.GetProperty("status").GetString().ShouldBe("cancelled");
        (await AnswerAsync(cluster.Client.GetAsync(path, Cancellation))).GetRawText().ShouldBe(cancelled.GetRawText());
        string[] events = await EventsAsync(await cluster.Client.GetAsync($"{path}?stream=true", Cancellation));
        events.Length.ShouldBe(3);
        events[2].ShouldStartWith("event: response.failed\n");
        events[2].ShouldContain("\"status\":\"cancelled\"");
    }

    [Fact]
    public async Task Kept_Foreground_ItsTenantReadsListsAndDeletesIt()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        object[] input = [new { role = "user", content = "one" }, new { role = "assistant", content = "two" }, new { role = "user", content = "three" }];
        JsonElement response = await AnswerAsync(cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input }, Cancellation));
        string path = $"/v1/responses/{response.GetProperty("id").GetString()}";

        JsonElement newest = await AnswerAsync(cluster.Client.GetAsync($"{path}/input_items?limit=2", Cancellation));
        JsonElement rest = await AnswerAsync(cluster.Client.GetAsync($"{path}/input_items?after={newest.GetProperty("last_id").GetString()}", Cancellation));
        JsonElement oldest = await AnswerAsync(cluster.Client.GetAsync($"{path}/input_items?order=asc", Cancellation));
        Texts(newest).ShouldBe(["three", "two"]);
        newest.GetProperty("has_more").GetBoolean().ShouldBeTrue();
        Texts(rest).ShouldBe(["one"]);
        rest.GetProperty("has_more").GetBoolean().ShouldBeFalse();
        Texts(oldest).ShouldBe(["one", "two", "three"]);
        (await StatusAsync(cluster, HttpMethod.Get, $"{path}/input_items?order=up")).ShouldBe(HttpStatusCode.BadRequest);
        // What was answered at once cannot be cancelled, or streamed a second time.
        (await StatusAsync(cluster, HttpMethod.Post, $"{path}/cancel")).ShouldBe(HttpStatusCode.BadRequest);
        (await StatusAsync(cluster, HttpMethod.Get, $"{path}?stream=true")).ShouldBe(HttpStatusCode.BadRequest);
        (await AnswerAsync(cluster.Client.GetAsync(path, Cancellation))).GetRawText().ShouldBe(response.GetRawText());

        (await AnswerAsync(cluster.Client.DeleteAsync(path, Cancellation))).GetProperty("deleted").GetBoolean().ShouldBeTrue();

        foreach ((HttpMethod method, string call) in CallsOf(path))
            (await StatusAsync(cluster, method, call)).ShouldBe(HttpStatusCode.NotFound, $"{method} {call}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kept_AnotherTenants_IsNotThereForAnybodyElse(bool background)
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        JsonElement response = await AnswerAsync(cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", background }, Cancellation));
        string id = response.GetProperty("id").GetString()!;
        string path = $"/v1/responses/{id}";

        foreach ((HttpMethod method, string call) in CallsOf(path))
            (await StatusAsync(cluster, method, call, tenant: "other")).ShouldBe(HttpStatusCode.NotFound, $"{method} {call}");
        HttpStatusCode next = await StatusAsync(cluster, HttpMethod.Post, "/v1/responses", "other", new { model = "demo", input = "hi", previous_response_id = id });
        string item = id.Replace("resp_", "msg_", StringComparison.Ordinal) + "i0";
        HttpStatusCode reference = await StatusAsync(
            cluster, HttpMethod.Post, "/v1/responses", "other", new { model = "demo", input = (object[])[new { type = "item_reference", id = item }, new { role = "user", content = "hi" }] });

        next.ShouldBe(HttpStatusCode.BadRequest);
        reference.ShouldBe(HttpStatusCode.BadRequest);
        (await StatusAsync(cluster, HttpMethod.Get, path)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task NotStored_IsNowhereAfterItsAnswer()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));

        JsonElement response = await AnswerAsync(cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", store = false }, Cancellation));
        HttpStatusCode background = await StatusAsync(cluster, HttpMethod.Post, "/v1/responses", body: new { model = "demo", input = "hi", store = false, background = true });

        response.GetProperty("status").GetString().ShouldBe("completed");
        foreach ((HttpMethod method, string call) in CallsOf($"/v1/responses/{response.GetProperty("id").GetString()}"))
            (await StatusAsync(cluster, method, call)).ShouldBe(HttpStatusCode.NotFound, $"{method} {call}");
        background.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Background_DeletedWhileItRuns_EndsAndIsGone()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        TaskCompletionSource begun = new();
        TaskCompletionSource cancelled = new();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1)
        {
            BeforeToken = async (index, cancellationToken) =>
            {
                if (index < 3)
                    return;
                begun.TrySetResult();
                await using CancellationTokenRegistration registration = cancellationToken.Register(() => cancelled.TrySetResult());
                await cancelled.Task;
            },
        });
        JsonElement queued = await AnswerAsync(cluster.Client.PostAsJsonAsync("/v1/responses", new { model = "demo", input = "hi", background = true }, Cancellation));
        string path = $"/v1/responses/{queued.GetProperty("id").GetString()}";
        await begun.Task.WaitAsync(Cancellation);
        JsonElement running = await AnswerAsync(cluster.Client.GetAsync(path, Cancellation));

        (await AnswerAsync(cluster.Client.DeleteAsync(path, Cancellation))).GetProperty("deleted").GetBoolean().ShouldBeTrue();

        running.GetProperty("status").GetString().ShouldBe("in_progress");
        await cancelled.Task.WaitAsync(Cancellation);
        (await StatusAsync(cluster, HttpMethod.Get, path)).ShouldBe(HttpStatusCode.NotFound);
    }

    /// <summary>All that can be asked of one that is kept.</summary>
    private static (HttpMethod Method, string Call)[] CallsOf(string path) =>
    [
        (HttpMethod.Get, path), (HttpMethod.Get, $"{path}?stream=true&starting_after=0"), (HttpMethod.Get, $"{path}/input_items"), (HttpMethod.Post, $"{path}/cancel"), (HttpMethod.Delete, path),
    ];

    private static string?[] Texts(JsonElement list) =>
        [.. list.GetProperty("data").EnumerateArray().Select(item => item.GetProperty("content")[0].GetProperty("text").GetString())];

    private static async Task<HttpStatusCode> StatusAsync(JobCluster cluster, HttpMethod method, string path, string? tenant = null, object? body = null)
    {
        using HttpRequestMessage request = new(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        if (tenant is not null)
            request.Headers.Add(TestCluster.TenantHeader, tenant);
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private static async Task<JsonElement> AnswerAsync(Task<HttpResponseMessage> pending)
    {
        using HttpResponseMessage response = await pending;
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        return JsonElement.Parse(body);
    }

    private static async Task<string[]> EventsAsync(HttpResponseMessage response)
    {
        using (response)
        {
            response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
            string text = await response.Content.ReadAsStringAsync(Cancellation);
            return text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        }
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Forwarding;

/// <summary>Models that workers forward to, from the client's side: edge, storage, SignalR surface, workers and the servers behind them.</summary>
public sealed class ForwardingClusterTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private OpenAIServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await OpenAIServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Chat_ModelOfAServer_IsFoundShownAndAnswered()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4), forward: $"openai={_server.Url}");
        await WaitForAsync(cluster.Client, OpenAIServer.Model);

        JsonElement tags = await cluster.Client.GetFromJsonAsync<JsonElement>("/api/tags", Cancellation);
        tags.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()).ShouldBe(["demo:latest", $"{OpenAIServer.Model}:latest"], ignoreOrder: true);
        JsonElement show = await PostAsync(cluster.Client, "/api/show", new { model = OpenAIServer.Model });
        show.GetProperty("model_info").GetProperty("openai.context_length").GetInt32().ShouldBe(4096);

        JsonElement chat = await PostAsync(cluster.Client, "/api/chat", Body(new { num_predict = 3 }));
        chat.GetProperty("message").GetProperty("content").GetString().ShouldBe("0 1 2 ");
        chat.GetProperty("done_reason").GetString().ShouldBe("length");
        (chat.GetProperty("prompt_eval_count").GetInt32(), chat.GetProperty("eval_count").GetInt32()).ShouldBe((11, 4));

        JsonElement embed = await PostAsync(cluster.Client, "/api/embed", new { model = OpenAIServer.Model, input = "abc" });
        embed.GetProperty("embeddings")[0].EnumerateArray().Select(number => number.GetSingle()).ShouldBe([0.6f, 0.8f]);
        embed.GetProperty("prompt_eval_count").GetInt32().ShouldBe(9);

        using HttpResponseMessage refused = await cluster.Client.PostAsJsonAsync("/api/chat", Body(new { num_ctx = 100 }), Cancellation);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await refused.Content.ReadAsStringAsync(Cancellation)).ShouldContain("num_ctx");
    }

    /// <summary>All its vectors come at once and are more than SignalR takes in a message; another answer of that worker goes beside them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Embed_MoreThanAMessageTakes_ComesInSeveral(bool isEncrypted)
    {
        const int texts = 300;
        _server.Dimensions = 1536;
        await using TestCluster cluster = await StartAsync(isEncrypted: isEncrypted);

        Task<JsonElement> embed = PostAsync(cluster.Client, "/api/embed", new { model = OpenAIServer.Model, input = Enumerable.Range(1, texts).Select(length => new string('x', length)) });
        JsonElement chat = await PostAsync(cluster.Client, "/api/chat", Body(new { num_predict = 3 }));

        chat.GetProperty("message").GetProperty("content").GetString().ShouldBe("0 1 2 ");
        JsonElement[] vectors = [.. (await embed).GetProperty("embeddings").EnumerateArray()];
        vectors.Select(vector => vector.GetArrayLength()).ShouldBe(Enumerable.Repeat(1536, texts));
        // The vector of a text of three letters was (3, 4), whose length is 5.
        vectors[2][0].GetSingle().ShouldBe(0.6f);
        vectors.Select(vector => Math.Round(vector[0].GetSingle() / vector[1].GetSingle() * 4)).ShouldBe(Enumerable.Range(1, texts).Select(length => (double)length));
        _server.Requests.Count.ShouldBe(2, "nothing was tried again");
    }

    /// <summary>What is taken can be granted and kept: grants and records have it deeper than the request.</summary>
    [Fact]
    public async Task Chat_NestedToTheBound_ReachesTheServerAndNoFurtherIsTaken()
    {
        const int bound = 56;
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4), forward: $"openai={_server.Url}");
        await WaitForAsync(cluster.Client, OpenAIServer.Model);
        object[] messages = [new { role = "user", content = "count" }];

        // In a request the body, the list of tools and a tool; of Ollama's a function as well.
        await PostAsync(cluster.Client, "/v1/messages", Request(bound - 3));
        using HttpResponseMessage refused = await cluster.Client.PostAsJsonAsync("/v1/messages", Request(bound - 2), Cancellation);
        string id = await SubmitAsync(
            cluster.Client,
            new { model = OpenAIServer.Model, messages, tools = new[] { new { type = "function", function = new { name = "f", parameters = Nested(bound - 4) } } }, options = new { num_predict = 3 } });
        await cluster.Client.ShowWhenAsync(id, "completed");

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        _server.Requests.Count.ShouldBe(2);
        _server.Requests.ShouldAllBe(request => request.GetProperty("tools")[0].GetRawText().Count(letter => letter == '{') >= bound - 3);

        object Request(int levels) => new { model = OpenAIServer.Model, max_tokens = 3, messages, tools = new[] { new { name = "f", input_schema = Nested(levels) } } };
    }

    [Fact]
    public async Task Chat_ReasoningAndCalls_ComeAsTheClientKnowsThem()
    {
        _server.Chunks =
        [
            """{"index":0,"delta":{"reasoning_content":"Hm."}}""",
            """{"index":0,"delta":{"content":"<think>Text.</think>"}}""",
            """{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}}""",
            """{"index":0,"delta":{},"finish_reason":"tool_calls"}""",
        ];
        await using TestCluster cluster = await StartAsync();

        JsonElement message = (await PostAsync(cluster.Client, "/api/chat", Body(new { }))).GetProperty("message");

        message.GetProperty("thinking").GetString().ShouldBe("Hm.");
        message.GetProperty("content").GetString().ShouldBe("<think>Text.</think>");
        message.GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetProperty("x").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Submit_Calls_HaveTheirIdsHoweverOftenTheyAreAskedFor()
    {
        _server.Chunks =
        [
            """{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"b","function":{"name":"f","arguments":"{}"}}]}}""",
            """{"index":0,"delta":{},"finish_reason":"tool_calls"}""",
        ];
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), forward: $"openai={_server.Url}");
        await WaitForAsync(cluster.Client, OpenAIServer.Model);

        string id = await SubmitAsync(cluster.Client, Body(new { }));
        string first = (await cluster.Client.ShowWhenAsync(id, "completed")).GetProperty("result").GetRawText();

        (await cluster.Client.ShowAsync(id)).GetProperty("result").GetRawText().ShouldBe(first);
        Regex.Count(first, "\"id\":\"call_").ShouldBe(2);
    }

    [Fact]
    public async Task Chat_AServerFailsBeforeItSaysAnything_AnotherWorkersServerAnswers()
    {
        await using OpenAIServer broken = await OpenAIServer.StartAsync();
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource othersKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        broken.Refuses = (500, "out of memory");
        broken.BeforePiece = (_, left) =>
        {
            asked.TrySetResult();
            return othersKnown.Task.WaitAsync(left);
        };
        await using TestCluster cluster = await StartAsync($"openai={broken.Url}");

        Task<JsonElement> chat = PostAsync(cluster.Client, "/api/chat", Body(new { num_predict = 3 }));
        await asked.Task.WaitAsync(Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4), Cancellation, forward: $"openai={_server.Url}");
        await WaitForWorkersAsync(cluster.Client, count: 2);
        othersKnown.SetResult();

        (await chat).GetProperty("message").GetProperty("content").GetString().ShouldBe("0 1 2 ");
        broken.Requests.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Chat_TheOnlyServerDies_EndsWithWhatIsDown()
    {
        Task asked = HangOnceAsked();
        await using TestCluster cluster = await StartAsync(serverWait: TimeSpan.FromSeconds(1));

        Task<HttpResponseMessage> chat = cluster.Client.PostAsJsonAsync("/api/chat", Body(new { }), Cancellation);
        await asked.WaitAsync(Cancellation);
        string server = _server.Url.ToString();
        await _server.DisposeAsync();

        using HttpResponseMessage response = await chat;
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        string error = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()!;
        error.ShouldContain($"no worker has offered '{OpenAIServer.Model}'");
        error.ShouldContain(server, customMessage: "what the last attempt failed by");
    }

    [Fact]
    public async Task Chat_TheOnlyServerIsStartedAgain_Answers()
    {
        Task asked = HangOnceAsked();
        await using TestCluster cluster = await StartAsync();

        Task<JsonElement> chat = PostAsync(cluster.Client, "/api/chat", Body(new { num_predict = 3 }));
        await asked.WaitAsync(Cancellation);
        int port = _server.Url.Port;
        await _server.DisposeAsync();
        _server = await OpenAIServer.StartAsync(port);

        (await chat).GetProperty("message").GetProperty("content").GetString().ShouldBe("0 1 2 ");
    }

    [Fact]
    public async Task Chat_TheStreamIsCut_TheClientHearsOfItAndNobodyGoesOn()
    {
        TaskCompletionSource seen = CutOnceSeen();
        await using TestCluster cluster = await StartAsync();
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/chat")
        {
            Content = JsonContent.Create(new { model = OpenAIServer.Model, messages = new[] { new { role = "user", content = "count" } } }),
        };

        using HttpResponseMessage response = await cluster.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(Cancellation));
        (await lines.ReadLineAsync(Cancellation)).ShouldNotBeNull().ShouldContain("\"0 ");
        seen.SetResult();

        (await lines.ReadToEndAsync(Cancellation)).TrimEnd().Split('\n')[^1].ShouldContain("the answer broke off");
        _server.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Submit_TheStreamIsCut_TheJobFailsForGood()
    {
        TaskCompletionSource seen = CutOnceSeen();
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), forward: $"openai={_server.Url}");
        await WaitForAsync(cluster.Client, OpenAIServer.Model);

        string id = await SubmitAsync(cluster.Client, Body(new { }));

        await foreach (JsonElement line in cluster.Client.StreamAsync(id, cancellationToken: Cancellation))
        {
            if (line.GetProperty("text").GetString()!.StartsWith("0 ", StringComparison.Ordinal))
                seen.SetResult();
        }

        JsonElement job = await cluster.Client.ShowWhenAsync(id, "failed");
        job.GetProperty("error").GetString().ShouldNotBeNull().ShouldContain("the answer broke off");
        using HttpResponseMessage again = await cluster.Client.PostAsync($"/jobs/{id}/requeue", null, Cancellation);
        again.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Generate_OllamaBehindAWorker_AnswersAsItDoesItself()
    {
        // Two of our own clusters: the one's edge is the Ollama server of the other's worker. Both have published a model demo; the other's is not in the way.
        await using JobCluster upstream = await JobCluster.StartAsync();
        await upstream.AddWorkerAsync(new ScriptedEngine(slots: 4));
        await upstream.PublishAsync("other");
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        var own = new ScriptedEngine(slots: 4) { AnswerTokens = 5 };
        await cluster.AddWorkerAsync(own, Cancellation, forward: $"ollama={upstream.Client.BaseAddress}");
        await WaitForAsync(cluster.Client, "other");

        JsonElement other = await PostAsync(cluster.Client, "/api/generate", new { model = "other", prompt = "hi", stream = false, options = new { num_predict = 7 } });
        JsonElement demo = await PostAsync(cluster.Client, "/api/generate", new { model = "demo", prompt = "hi", stream = false });
        JsonElement embed = await PostAsync(cluster.Client, "/api/embed", new { model = "other", input = (string[])["abc", "d"] });
        JsonElement load = await PostAsync(cluster.Client, "/api/generate", new { model = "other", stream = false });

        other.GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(7));
        (other.GetProperty("done_reason").GetString(), other.GetProperty("eval_count").GetInt32()).ShouldBe(("length", 7));
        other.GetProperty("prompt_eval_count").GetInt32().ShouldBeGreaterThan(0);
        demo.GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(5), "a published model wins");
        embed.GetProperty("embeddings").GetArrayLength().ShouldBe(2);
        load.GetProperty("done_reason").GetString().ShouldBe("load");
        JsonElement show = await PostAsync(cluster.Client, "/api/show", new { model = "other" });
        show.GetProperty("capabilities").EnumerateArray().Select(item => item.GetString()).ShouldContain("completion");
        show.GetProperty("details").GetProperty("family").GetString().ShouldBe("llama");
    }

    /// <summary>The server cuts its answer at the third piece, once the first ones have been seen: what is on its way when a connection is cut may be lost.</summary>
    private TaskCompletionSource CutOnceSeen()
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.CutAt = 2;
        _server.BeforePiece = (index, left) => index == 2 ? seen.Task.WaitAsync(left) : Task.CompletedTask;
        return seen;
    }

    /// <summary>The server says nothing to what it is asked until it is gone.</summary>
    private Task HangOnceAsked()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.BeforePiece = (_, left) =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.Infinite, left);
        };
        return asked.Task;
    }

    private static object Body(object options) =>
        new { model = OpenAIServer.Model, messages = new[] { new { role = "user", content = "count" } }, stream = false, options };

    private static JsonElement Nested(int levels) => JsonElement.Parse(string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels));

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, object body)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync(path, body, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    private static async Task<string> SubmitAsync(HttpClient client, object body)
    {
        using HttpResponseMessage accepted = await client.PostAsJsonAsync("/jobs", body, Cancellation);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.Content.ReadAsStringAsync(Cancellation));
        return (await accepted.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }

    /// <summary>Waits until the edge has heard of the model: its listing of the workers may be up to a second old.</summary>
    private static async Task WaitForAsync(HttpClient client, string model)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!(await client.PostAsJsonAsync("/api/show", new { model }, Cancellation)).IsSuccessStatusCode)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private static async Task WaitForWorkersAsync(HttpClient client, int count)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (HoldersOf(OpenAIServer.Model, await client.GetFromJsonAsync<JsonElement>("/cluster/workers", Cancellation)) < count)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private static int HoldersOf(string model, JsonElement answer) => answer.GetProperty("workers").EnumerateArray().Count(worker =>
        worker.GetProperty("state").GetString() == "alive"
        && worker.GetProperty("models").EnumerateArray().Any(held => held.GetProperty("name").GetString() == $"{model}:latest"));

    private async Task<TestCluster> StartAsync(string? forward = null, bool isEncrypted = false, TimeSpan? serverWait = null)
    {
        TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount(),
            configure: services => services
                .Configure<DispatchOptions>(options => (options.EncryptPayloads, options.ServerWait) = (isEncrypted, serverWait ?? options.ServerWait))
                .Configure<ContentKeyOptions>(options => options.Keys = ContentKeyTexts.Of("k1")),
            logs: new LogLines(),
            cancellationToken: Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 4), Cancellation, forward: forward ?? $"openai={_server.Url}");
        await WaitForAsync(cluster.Client, OpenAIServer.Model);
        return cluster;
    }
}

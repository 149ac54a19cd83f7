using System.Net;
using System.Text.Json;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.OpenAI;

public sealed class ChatTests
{
    private const string Path = "/v1/chat/completions";
    private const string Hello = """{"model":"demo","messages":[{"role":"user","content":"hi"}]}""";
    private const string Streamed = """{"model":"demo","stream":true,"messages":[{"role":"user","content":"hi"}]}""";
    private const string Usage = """{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":0}}""";

    [Fact]
    public async Task Chat_Streamed_RoleThenTextThenReasonThenDone()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Grüß").Say(" 😀\n", 2).Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed);

        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        response.Headers.CacheControl!.NoCache.ShouldBeTrue();
        string head = await HeadAsync(response, "chat.completion.chunk");
        (await response.TextAsync()).ShouldBe(Events(
            head + """{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}""",
            head + """{"index":0,"delta":{"content":"Grüß"},"logprobs":null,"finish_reason":null}]}""",
            head + """{"index":0,"delta":{"content":" 😀\n"},"logprobs":null,"finish_reason":null}]}""",
            head + """{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}""",
            "[DONE]"));
    }

    [Fact]
    public async Task Chat_IncludeUsage_LastChunkHasItAndTheOthersNull()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("a").Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed[..^1] + ""","stream_options":{"include_usage":true}}""");

        string[] events = await response.EventsAsync();
        events.Length.ShouldBe(5);
        events[..3].ShouldAllBe(data => data.EndsWith("}],\"usage\":null}", StringComparison.Ordinal));
        events[3].ShouldEndWith($$"""
            "choices":[],"usage":{{Usage}}}
            """.Trim());
        events[4].ShouldBe("[DONE]");
    }

    [Fact]
    public async Task Chat_NotStreamed_OneObject()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("Hello ").Say("you", 2).Finish(FinishReason.Length);

        using HttpResponseMessage response = await edge.PostAsync(Path, Hello);

        string head = await HeadAsync(response, "chat.completion");
        (await response.TextAsync()).ShouldBe(
            head + """{"index":0,"message":{"role":"assistant","content":"Hello you","refusal":null},"logprobs":null,"finish_reason":"length"}],"usage":""" + Usage + "}");
    }

    [Fact]
    public async Task Chat_ReasoningAndCalls_AreApartFromTheText()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Think("hm").Call(("f", "{\"a\": 1}"), ("g", "{}")).Call(("f", "{}")).Finish();
        string request = """{"model":"able","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}""";

        using HttpResponseMessage streamed = await edge.PostAsync(Path, request[..^1] + ",\"stream\":true}");
        using HttpResponseMessage whole = await edge.PostAsync(Path, request);

        string[] events = await streamed.EventsAsync();
        events[1].ShouldContain("\"delta\":{\"reasoning_content\":\"hm\",\"reasoning\":\"hm\"}");
        JsonElement[] calls = [.. events[2..4].SelectMany(data => JsonElement.Parse(data).GetProperty("choices")[0].GetProperty("delta").GetProperty("tool_calls").EnumerateArray())];
        calls.Select(call => (call.GetProperty("index").GetInt32(), call.GetProperty("type").GetString(), call.GetProperty("function").ToString())).ShouldBe(
        [
            (0, "function", """{"name":"f","arguments":"{\"a\": 1}"}"""),
            (1, "function", """{"name":"g","arguments":"{}"}"""),
            (2, "function", """{"name":"f","arguments":"{}"}"""),
        ]);
        calls.Select(call => call.GetProperty("id").GetString()!).Distinct().Count().ShouldBe(3);
        events[4].ShouldContain("\"finish_reason\":\"tool_calls\"");
        JsonElement choice = JsonElement.Parse(await whole.TextAsync()).GetProperty("choices")[0];
        choice.GetProperty("finish_reason").GetString().ShouldBe("tool_calls");
        JsonElement message = choice.GetProperty("message");
        message.GetProperty("content").ValueKind.ShouldBe(JsonValueKind.Null);
        message.GetProperty("reasoning_content").GetString().ShouldBe("hm");
        message.GetProperty("tool_calls").GetArrayLength().ShouldBe(3);
    }

    [Fact]
    public async Task Chat_NoParallelCalls_TheJobHasOne()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Add(FixedModels.Able);
        edge.Jobs.Script = job => job.Accept().Call(("f", "{}")).Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            Path, """{"model":"able","parallel_tool_calls":false,"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}""");

        (await edge.Jobs.NextAsync()).Job.Parsing.IsSingleCall.ShouldBeTrue();
    }

    [Theory]
    [InlineData("\"a file\\nof two lines\"", "a file\nof two lines")]
    [InlineData("""[{"type":"text","text":"a file"},{"type":"text","text":"of two lines"}]""", "a file\nof two lines")]
    public async Task Chat_Prediction_IsTheJobs(string content, string text)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("a").Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed[..^1] + $$$""","prediction":{"type":"content","content":{{{content}}}}}""");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await edge.Jobs.NextAsync()).Job.Prediction.ShouldBe(text);
    }

    [Fact]
    public async Task Chat_SeveralChoices_AreJobsAtOnceWithSeedsOfTheirOwn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync(Path, Streamed[..^1] + ""","n":3,"seed":5,"stream_options":{"include_usage":true}}""");
        StartedJob[] jobs = [await edge.Jobs.NextAsync(), await edge.Jobs.NextAsync(), await edge.Jobs.NextAsync()];

        jobs[2].Accept().Say("c");
        jobs[0].Accept().Say("a").Finish();
        jobs[1].Accept().Say("b").Finish(FinishReason.Length);
        jobs[2].Finish();

        using HttpResponseMessage response = await pending;
        string[] events = await response.EventsAsync();
        events[^1].ShouldBe("[DONE]");
        events[^2].ShouldContain("\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":6,\"total_tokens\":13,");
        ILookup<int, string> byChoice = events[..^2].ToLookup(data => JsonElement.Parse(data).GetProperty("choices")[0].GetProperty("index").GetInt32());
        foreach ((int index, string text, string reason) in new[] { (0, "a", "stop"), (1, "b", "length"), (2, "c", "stop") })
        {
            string[] choice = [.. byChoice[index]];
            choice.Length.ShouldBe(3);
            choice[0].ShouldContain("\"role\":\"assistant\"");
            choice[1].ShouldContain($"\"content\":\"{text}\"");
            choice[2].ShouldContain($"\"finish_reason\":\"{reason}\"");
        }
        jobs.Select(job => job.Job.Seed).Distinct().Count().ShouldBe(3);
        jobs.Select(job => job.Job.Id).Distinct().Count().ShouldBe(3);
        jobs[0].Job.Seed.ShouldBe(5UL);
        jobs.Select(job => job.Job.Prompt).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Chat_OneChoiceFails_TheErrorEndsAllAndTheOthersAreTold()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync(Path, Hello[..^1] + ""","n":2}""");
        StartedJob first = await edge.Jobs.NextAsync();
        StartedJob second = await edge.Jobs.NextAsync();

        first.Accept().Say("x");
        second.Fail(JobErrorKind.Failed, "broken");

        using HttpResponseMessage response = await pending;
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.TextAsync()).ShouldBe("""{"error":{"message":"broken","type":"server_error","param":null,"code":null}}""");
        await first.WhenGoneAsync();
    }

    [Fact]
    public async Task Chat_SeveralChoicesUnderAKey_AreReplayedAll()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say(job.Job.Seed == 5 ? "first" : "second").Finish();
        string request = Hello[..^1] + ""","n":2,"seed":5}""";

        using HttpResponseMessage once = await edge.PostAsync(Path, request, ("Idempotency-Key", "k"));
        await once.TextAsync();
        using HttpResponseMessage again = await edge.PostAsync(Path, request, ("Idempotency-Key", "k"));

        again.Headers.GetValues("idempotency-replayed").ShouldBe(["true"]);
        string text = await again.TextAsync();
        text.ShouldContain("\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"first\"");
        text.ShouldContain("\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"second\"");
        edge.Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Chat_FailsInTheMiddle_LastEventIsTheErrorAndNothingIsDone()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("half").Fail(JobErrorKind.DeadlineExceeded, "too long");

        using HttpResponseMessage response = await edge.PostAsync(Path, Streamed);

        string[] events = await response.EventsAsync();
        events.Length.ShouldBe(3);
        events[2].ShouldBe("""{"error":{"message":"too long","type":"server_error","param":null,"code":"timeout"}}""");
    }

    [Fact]
    public async Task Chat_NobodyAccepts_CommentsKeepTheStream()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        Task<HttpResponseMessage> pending = edge.PostAsync(Path, Streamed);
        StartedJob job = await edge.Jobs.NextAsync();
        await edge.Time.WaitForTimerAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        edge.Time.Advance(TimeSpan.FromSeconds(10));

        using HttpResponseMessage response = await pending;
        job.Accept().Say("a").Finish();
        string text = await response.TextAsync();
        text.ShouldStartWith(": waiting\n\ndata: {\"id\":\"chatcmpl-");
        text.ShouldEndWith("data: [DONE]\n\n");
    }

    [Fact]
    public async Task Chat_Logprobs_AreOpenAIsForm()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say(new JobOutput.Delta("é", 1)
        {
            Logprobs = [new(7, [0xC3, 0xA9], new(-0.5f, [new(7, [0xC3, 0xA9], -0.5f), new(9, [], float.NegativeInfinity)]))],
        }).Finish();

        using HttpResponseMessage response = await edge.PostAsync(Path, Hello[..^1] + ""","logprobs":true,"top_logprobs":2}""");

        (await response.TextAsync()).ShouldContain(
            """logprobs":{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.5,"bytes":[195,169]},"""
            + """{"token":"","logprob":-3.4028235E+38}]}],"refusal":null}""");
        (await edge.Jobs.NextAsync()).Job.Options.TopLogprobs.ShouldBe(2);
    }

    private static string Events(params string[] data) => string.Concat(data.Select(one => $"data: {one}\n\n"));

    /// <summary>The envelope up to the choices: of it only the id differs.</summary>
    private static async Task<string> HeadAsync(HttpResponseMessage response, string kind)
    {
        string text = await response.TextAsync();
        string id = text[(text.IndexOf("\"id\":\"", StringComparison.Ordinal) + 6)..].Split('"')[0];
        id.ShouldMatch("^chatcmpl-[0-9a-z]{26}$");
        return $$"""{"id":"{{id}}","object":"{{kind}}","created":1767323045,"model":"demo","choices":[""";
    }
}
